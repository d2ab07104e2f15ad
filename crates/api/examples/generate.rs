//! Writes `src/gen` from `proto/`: `cargo run -p api --example generate`.
//!
//! A program and not a build script, so that nobody needs to compile protos to
//! build the shop, and so that a change of the contract shows in review.

use std::path::{Path, PathBuf};

use prost::Message;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let api = Path::new(env!("CARGO_MANIFEST_DIR"));
    let proto = api.join("../../proto").canonicalize()?;
    let out = api.join("src/gen");
    std::fs::create_dir_all(&out)?;

    let mut descriptors = protox::compile(proto_files(&proto.join("cartwright"))?, [&proto])?;
    tonic_prost_build::configure()
        .out_dir(&out)
        .extern_path(".google.rpc", "::tonic_types::pb")
        .compile_fds(descriptors.clone())?;

    for file in &mut descriptors.file {
        file.source_code_info = None;
    }
    std::fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    Ok(())
}

fn proto_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(proto_files(&path)?);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "proto")
        {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
