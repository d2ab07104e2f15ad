//! Where settings come from, and the two ways to read them.

use std::path::Path;

use serde::de::DeserializeOwned;

use crate::{
    SettingsError, de, fields,
    tree::{Node, Origin, Table, Value},
    values::{Reading, Values},
};

/// A file and a set of variables. Tests give variables of their own, because
/// the environment of a process is shared by all its threads.
pub struct Source<'a> {
    file: Option<&'a Path>,
    env_prefix: &'a str,
    env: Vec<(String, String)>,
}

impl<'a> Source<'a> {
    /// Uses the environment of this process. Variables that are not UTF-8 are
    /// read with replacement characters.
    pub fn of_process(file: Option<&'a Path>, env_prefix: &'a str) -> Self {
        let env = std::env::vars_os().map(|(name, value)| {
            (
                name.to_string_lossy().into_owned(),
                value.to_string_lossy().into_owned(),
            )
        });
        Self::new(file, env_prefix, env)
    }

    pub fn new<N, V>(
        file: Option<&'a Path>,
        env_prefix: &'a str,
        env: impl IntoIterator<Item = (N, V)>,
    ) -> Self
    where
        N: Into<String>,
        V: Into<String>,
    {
        let mut env: Vec<(String, String)> = env
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        // Errors should not depend on the order of the environment.
        env.sort();
        Self {
            file,
            env_prefix,
            env,
        }
    }

    pub fn load<T: DeserializeOwned>(&self) -> Result<T, SettingsError> {
        self.read(self.table()?, &Reading::new(self.env_prefix))
    }

    /// Two structs that share the top level, and the values that they were
    /// read from.
    pub fn load_pair<A: DeserializeOwned, B: DeserializeOwned>(
        &self,
    ) -> Result<(A, B, Values), SettingsError> {
        let (of_a, of_b) = (fields::of::<A>(), fields::of::<B>());
        let (mut table_a, mut table_b) = (Table::new(), Table::new());
        for (key, node) in self.table()? {
            let (in_a, in_b) = (fields::knows(of_a, &key), fields::knows(of_b, &key));
            if !in_a && !in_b {
                let known = [of_a, of_b].concat();
                return Err(SettingsError::unknown(vec![key], &known, &node.origin));
            }
            if in_a {
                table_a.insert(key.clone(), node.clone());
            }
            if in_b {
                table_b.insert(key, node);
            }
        }
        let reading = Reading::new(self.env_prefix);
        let a = self.read(table_a, &reading)?;
        let b = self.read(table_b, &reading)?;
        Ok((a, b, reading.finish()))
    }

    fn table(&self) -> Result<Table, SettingsError> {
        let mut table = match self.file {
            Some(path) => Table::from_file(path)?,
            None => Table::new(),
        };
        table.override_from_env(self.env_prefix, &self.env)?;
        Ok(table)
    }

    /// A key may be missing because its whole section is: then the section is
    /// taken as empty, which names the missing key inside, or needs none.
    fn read<T: DeserializeOwned>(
        &self,
        mut table: Table,
        reading: &Reading<'_>,
    ) -> Result<T, SettingsError> {
        loop {
            let root = Node {
                value: Value::Table(table.clone()),
                origin: Origin::Nowhere,
            };
            match T::deserialize(de::At::root(root, reading)) {
                Err(error) if error.missing_path().is_some_and(|p| table.add_empty(p)) => {}
                result => return result,
            }
        }
    }
}
