//! The protos with their comments, which the descriptors of a service lack.

use std::path::{Path, PathBuf};

use prost_reflect::DescriptorPool;

use crate::Result;

pub fn descriptors(proto: &Path) -> Result<DescriptorPool> {
    let mut compiler = protox::Compiler::new([proto])?;
    compiler
        .include_imports(true)
        .include_source_info(true)
        .open_files(proto_files(&proto.join("cartwright"))?)?;
    Ok(DescriptorPool::decode(
        compiler.encode_file_descriptor_set().as_slice(),
    )?)
}

fn proto_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(proto_files(&path)?);
        } else if path.extension().is_some_and(|is| is == "proto") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
