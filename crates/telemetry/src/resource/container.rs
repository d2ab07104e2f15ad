//! The id of the container that this process is in, as the kernel shows it.

use std::fs;

const HEX_DIGITS: usize = 64;

/// `None` outside of a container, and where the kernel hides it.
pub(super) fn id() -> Option<String> {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    // Version 1 of control groups names it, version 2 only where files that the
    // container runtime has made are mounted.
    of_cgroup(&read("/proc/self/cgroup")).or_else(|| of_mounts(&read("/proc/self/mountinfo")))
}

/// `12:memory:/kubepods/burstable/pod…/<id>`, `0::/system.slice/docker-<id>.scope`
fn of_cgroup(text: &str) -> Option<String> {
    let last = |line: &str| Some(line.rsplit('/').next()?.to_owned());
    text.lines().filter_map(last).find_map(|segment| {
        let segment = segment.strip_suffix(".scope").unwrap_or(&segment);
        let id = segment.rsplit(['-', ':']).next()?;
        is_id(id).then(|| id.to_owned())
    })
}

/// `… /var/lib/docker/containers/<id>/hostname /etc/hostname …`, and the folders
/// of containerd and CRI-O, which are named alike.
fn of_mounts(text: &str) -> Option<String> {
    let lines = text.lines().filter(|line| {
        let mut fields = line.split(' ').skip(4);
        matches!(
            fields.next(),
            Some("/etc/hostname" | "/etc/hosts" | "/etc/resolv.conf")
        )
    });
    lines
        .flat_map(|line| line.split([' ', '/']))
        .find(|segment| is_id(segment))
        .map(str::to_owned)
}

fn is_id(text: &str) -> bool {
    text.len() == HEX_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "dc579f8a8319c8cf7d38e1adf263bc08d23d0a7f1b2e3c4d5e6f708192a3b4c5";

    #[test]
    fn a_control_group_ends_with_the_id() {
        for line in [
            format!("12:memory:/docker/{ID}"),
            format!("1:name=systemd:/kubepods/burstable/pod2a-b/{ID}"),
            format!("0::/kubepods.slice/kubepods-pod2a.slice/cri-containerd-{ID}.scope"),
            format!("0::/../../docker-{ID}.scope"),
            format!("9:cpu:/kubepods-pod1.slice:cri-containerd:{ID}"),
        ] {
            assert_eq!(of_cgroup(&line).as_deref(), Some(ID), "{line}");
        }
        for line in ["0::/", "0::/user.slice/session-3.scope", ""] {
            assert_eq!(of_cgroup(line), None, "{line}");
        }
    }

    #[test]
    fn what_the_container_runtime_has_mounted_names_the_id() {
        let mounts = format!(
            "473 456 254:1 / /layers/{} rw - ext4 /dev/vda1 rw\n\
             474 456 254:1 /docker/containers/{ID}/hostname /etc/hostname rw - ext4 /dev/vda1 rw\n",
            "0".repeat(HEX_DIGITS),
        );
        assert_eq!(of_mounts(&mounts).as_deref(), Some(ID));
        let laptop = "25 1 8:2 / / rw,relatime - ext4 /dev/sda2 rw\n";
        assert_eq!(of_mounts(laptop), None);
    }
}
