//! What the exit code tells a script.

use std::process::ExitCode;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Done,
    /// An audit found violations, or a replay or demo did not go as it should.
    Mismatch,
    /// The shop understood and said no: nothing was changed.
    Refused,
    /// The command line, an input file or a field is wrong.
    BadInput,
    /// A service cannot be reached, sheds load or did not answer in time.
    Unavailable,
    /// A bug, here or in a service.
    Internal,
    /// The caller may not do that.
    Forbidden,
}

pub const HELP: &str = "\
Exit codes:
  0   done
  1   an audit found violations, or a replay or demo did not go as it should
  2   the shop refused: out of stock, declined, not found, changed meanwhile
  64  the command line, an input file or a field is wrong
  69  a service cannot be reached, sheds load or did not answer in time
  70  a bug, here or in a service
  77  the caller may not do that

A change whose outcome is not known (69) is safe to repeat with the
--idempotency-key that is printed: it is never carried out twice.";

impl Exit {
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Mismatch => 1,
            Self::Refused => 2,
            Self::BadInput => 64,
            Self::Unavailable => 69,
            Self::Internal => 70,
            Self::Forbidden => 77,
        }
    }

    pub fn of(code: tonic::Code) -> Self {
        use tonic::Code;
        match code {
            Code::Ok => Self::Done,
            Code::InvalidArgument | Code::OutOfRange => Self::BadInput,
            Code::FailedPrecondition | Code::NotFound | Code::Aborted | Code::AlreadyExists => {
                Self::Refused
            }
            Code::Unavailable
            | Code::DeadlineExceeded
            | Code::ResourceExhausted
            | Code::Cancelled => Self::Unavailable,
            Code::PermissionDenied | Code::Unauthenticated => Self::Forbidden,
            Code::Unknown | Code::Internal | Code::DataLoss | Code::Unimplemented => Self::Internal,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}
