//! The kinds of faults.

use std::fmt;
use std::time::Duration;

use payment_simulator::faults::FaultSet;
use serde::Serialize;

use crate::proxy::Conditions;

/// One replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Target {
    pub service: &'static str,
    pub replica: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// `kill -9`, and a start after the pause.
    Kill {
        target: Target,
        pause: Duration,
    },
    /// Killed, and started so that it aborts at a failpoint when it has passed
    /// it so many times.
    Abort {
        target: Target,
        point: &'static str,
        passes: u32,
    },
    /// SIGTERM, and a start after the pause.
    Terminate {
        target: Target,
        pause: Duration,
    },
    /// SIGSTOP, and SIGCONT after so long.
    Freeze {
        target: Target,
        length: Duration,
    },
    /// `kill -9` of the postmaster.
    PostgresKill {
        pause: Duration,
    },
    /// An immediate stop.
    PostgresStop {
        pause: Duration,
    },
    RedisKill {
        pause: Duration,
    },
    RedisFlush,
    Network {
        from: String,
        to: String,
        conditions: Conditions,
        /// Whether what is connected is cut first.
        reset: bool,
        length: Duration,
    },
    Provider {
        faults: FaultSet,
        length: Duration,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Planned {
    /// From the beginning of the load.
    pub at: Duration,
    pub fault: Fault,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.service, self.replica)
    }
}

impl Fault {
    /// As it is counted.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Kill { .. } => "kill",
            Self::Abort { .. } => "failpoint abort",
            Self::Terminate { .. } => "sigterm",
            Self::Freeze { .. } => "freeze",
            Self::PostgresKill { .. } => "postgres kill",
            Self::PostgresStop { .. } => "postgres immediate stop",
            Self::RedisKill { .. } => "redis kill",
            Self::RedisFlush => "redis flush",
            Self::Network { .. } => "network",
            Self::Provider { .. } => "provider",
        }
    }

    /// How long it lasts by itself.
    pub fn length(&self) -> Duration {
        match self {
            Self::Kill { pause, .. }
            | Self::Terminate { pause, .. }
            | Self::PostgresKill { pause }
            | Self::PostgresStop { pause }
            | Self::RedisKill { pause } => *pause,
            Self::Freeze { length, .. }
            | Self::Network { length, .. }
            | Self::Provider { length, .. } => *length,
            Self::Abort { .. } | Self::RedisFlush => Duration::ZERO,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind())?;
        match self {
            Self::Kill { target, pause } | Self::Terminate { target, pause } => {
                write!(f, " {target}, away for {pause:?}")
            }
            Self::Abort {
                target,
                point,
                passes,
            } => write!(f, " {target} at {point} after {passes} passes"),
            Self::Freeze { target, length } => write!(f, " {target} for {length:?}"),
            Self::PostgresKill { pause }
            | Self::PostgresStop { pause }
            | Self::RedisKill { pause } => write!(f, ", away for {pause:?}"),
            Self::RedisFlush => Ok(()),
            Self::Network {
                from,
                to,
                conditions,
                reset,
                length,
            } => {
                let cut = if *reset { "cut, " } else { "" };
                write!(f, " {from} → {to}: {cut}{conditions} for {length:?}")
            }
            Self::Provider { faults, length } => write!(f, ": {faults:?} for {length:?}"),
        }
    }
}
