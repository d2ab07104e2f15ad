"""What an image is, without running it: who it runs as, what it says of itself,
what is in it, and how much of it is pulled."""

import gzip
import json
import re
import subprocess
import tarfile
import tempfile

USER = "65532:65532"
COMPRESSED_MAX = 12_000_000
LABELS = "title description version revision created source licenses documentation base.name"
# What a person or a program could go on with, once inside.
TOOLS = {
    "sh", "bash", "dash", "ash", "zsh", "busybox", "toybox", "apt", "apt-get", "dpkg", "apk",
    "curl", "wget", "nc", "perl", "python3", "ld.so", "su", "sudo",
}  # fmt: skip


def docker(engine, *arguments, **options):
    """The output of a command; raises what it said if it fails."""
    done = subprocess.run([*engine, *arguments], capture_output=True, text=True, **options)
    if done.returncode:
        raise RuntimeError(f"docker {arguments[0]}: {done.stderr.strip()[-400:]}")
    return done.stdout


def is_static(program):
    """No interpreter is named in the program headers of this 64-bit ELF file."""
    if program[:5] != b"\x7fELF\x02":
        return False
    number = lambda at, size: int.from_bytes(program[at : at + size], "little")
    start, size, count = number(32, 8), number(54, 2), number(56, 2)
    return all(number(start + i * size, 4) != 3 for i in range(count))


def files(engine, image, program):
    """What is wrong with the files that a container of it would see."""
    faults = []
    made = docker(engine, "create", "--network", "none", image).strip()
    found = False
    try:
        export = subprocess.Popen([*engine, "export", made], stdout=subprocess.PIPE)
        with tarfile.open(fileobj=export.stdout, mode="r|") as tar:
            for member in tar:
                name = member.name
                if name.rsplit("/", 1)[-1] in TOOLS and not member.isdir():
                    faults.append(f"{name} is in it")
                if member.isfile() and member.mode & 0o6000:
                    faults.append(f"{name} runs as another user")
                if member.isfile() and member.mode & 0o002:
                    faults.append(f"{name} may be written by anybody")
                if name == f"usr/local/bin/{program}":
                    found = True
                    if not is_static(tar.extractfile(member).read()):
                        faults.append(f"{name} needs libraries")
                    if member.uid != 0 or member.mode & 0o022:
                        faults.append(f"{name} may be written by those it runs as")
        export.wait()
    finally:
        docker(engine, "rm", "--force", "--volumes", made)
    return faults if found else [*faults, f"usr/local/bin/{program} is not in it"]


def compressed(engine, image):
    """Bytes that a machine pulls which has nothing of it: its layers, gzipped."""
    total = 0
    with tempfile.NamedTemporaryFile() as saved:
        docker(engine, "save", "--output", saved.name, image)
        with tarfile.open(saved.name) as tar:
            manifest = json.load(tar.extractfile("manifest.json"))[0]
            for layer in manifest["Layers"]:
                data = tar.extractfile(layer).read()
                total += len(data) if data[:2] == b"\x1f\x8b" else len(gzip.compress(data, 6))
    return total


def examine(engine, image, name, version):
    """Facts about one image; `faults` is empty when all is as it must be."""
    config = json.loads(docker(engine, "image", "inspect", image))[0]
    about, program = config["Config"], f"/usr/local/bin/{name}"
    labels = about.get("Labels") or {}
    faults = []
    if about["User"] != USER:
        faults.append(f"runs as {about['User'] or 'root'}, not as {USER}")
    if about["Entrypoint"] != [program]:
        faults.append(f"starts {about['Entrypoint']}")
    check = (about.get("Healthcheck") or {}).get("Test")
    wanted = ["NONE"] if name == "cartwright" else ["CMD", program, "healthcheck"]
    if check != wanted:
        faults.append(f"asks for its health by {check}")
    for label in LABELS.split():
        if not labels.get(f"org.opencontainers.image.{label}"):
            faults.append(f"has no label org.opencontainers.image.{label}")
    if labels.get("org.opencontainers.image.version") != version:
        faults.append("its label of the version is not that of the workspace")
    if not re.match(r"[0-9a-f]{40}", labels.get("org.opencontainers.image.revision", "")):
        faults.append("its label of the revision names no commit")
    if re.search(r"(?i)secret|password|token", " ".join(about.get("Env") or [])):
        faults.append("a variable of it looks like a secret")
    faults += files(engine, image, name)
    size = compressed(engine, image)
    if size > COMPRESSED_MAX:
        faults.append(f"{size} bytes compressed are more than {COMPRESSED_MAX}")
    return {
        "pass": not faults,
        "faults": faults,
        "architecture": f"{config['Os']}/{config['Architecture']}",
        "compressed_mb": round(size / 1e6, 2),
        "unpacked_mb": round(config["Size"] / 1e6, 2),
        "user": about["User"],
    }
