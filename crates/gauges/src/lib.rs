//! Gauges whose values stand in the database: how far behind, how many, what is
//! broken. They are read now and then, and every replica shows the same.
//!
//! What is read, and by which statement, is the business of the services.

mod audit;
mod keep;
mod settings;

pub use audit::audited;
pub use keep::keep;
pub use settings::Settings;
