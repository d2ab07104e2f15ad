//! Writes `src/gen` from `proto/`: `cargo run -p api --example generate`.
//!
//! A program and not a build script, so that nobody needs to compile protos to
//! build the shop, and so that a change of the contract shows in review.

use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let api = Path::new(env!("CARGO_MANIFEST_DIR"));
    let proto = api.join("../../proto").canonicalize()?;
    let out = api.join("src/gen");
    std::fs::create_dir_all(&out)?;

    let mut compiler = protox::Compiler::new([&proto])?;
    compiler
        .include_imports(true)
        .include_source_info(true)
        .open_files(proto_files(&proto.join("cartwright"))?)?;
    let mut messages = compiler.file_descriptor_set();
    // Only options use it.
    messages.file.retain(|file| file.package() != "google.api");
    // A message knows its name, and by it its descriptor.
    let mut config = tonic_prost_build::Config::new();
    config.enable_type_names();
    tonic_prost_build::configure()
        .out_dir(&out)
        .extern_path(".google.rpc", "::tonic_types::pb")
        .compile_fds_with_config(messages, config)?;

    // Encoded by the compiler, which keeps our options; prost would drop them.
    compiler.include_source_info(false);
    std::fs::write(
        out.join("descriptors.bin"),
        compiler.encode_file_descriptor_set(),
    )?;
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
