# Stands between a test process and a server: sh -c "$(cat guard.sh)" guard DIR SIGNAL COMMAND...
# It reads `start` and `stop` from a pipe that the test process holds. When the
# pipe closes, for whatever reason, it ends the server and removes DIR.
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

stop() {
  if [ -z "$job" ]; then return; fi
  until [ -s "$dir/pid" ]; do sleep 0.02; done
  # Again and again: what is still being set up may not hear the first one.
  tries=0
  until [ -e "$dir/ended" ]; do
    if [ "$tries" -ge 200 ]; then signal=KILL; fi
    kill -s "$signal" "$(cat "$dir/pid")" 2>/dev/null
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
    stop
    : >"$dir/stopped"
    ;;
  esac
done
stop
rm -rf "$dir"
