# Stands between a test process and a server: sh -c "$(cat guard.sh)" guard DIR SIGNAL COMMAND...
# It reads `start`, `stop` and `kill` from a pipe that the test process holds. When
# the pipe closes, for whatever reason, it ends the server and removes DIR.
dir=$1
signal=$2
shift 2
job=

start() {
  (
    "$@" </dev/null >>"$dir/log" 2>&1 &
    echo $! >"$dir/pid"
    wait $!
    : >"$dir/ended"
  ) &
  job=$!
}

# stop SIGNAL: ends the server by it.
stop() {
  by=$1
  if [ -z "$job" ]; then return; fi
  until [ -s "$dir/pid" ]; do sleep 0.02; done
  # Again and again: what is still being set up may not hear the first one.
  tries=0
  until [ -e "$dir/ended" ]; do
    if [ "$tries" -ge 200 ]; then by=KILL; fi
    kill -s "$by" "$(cat "$dir/pid")" 2>/dev/null
    tries=$((tries + 1))
    sleep 0.05
  done
  wait "$job"
  job=
  rm -f "$dir/ended" "$dir/pid"
}

while read -r order; do
  case $order in
  start) start "$@" ;;
  stop)
    stop "$signal"
    : >"$dir/stopped"
    ;;
  kill)
    stop KILL
    : >"$dir/stopped"
    ;;
  esac
done
stop "$signal"
rm -rf "$dir"
