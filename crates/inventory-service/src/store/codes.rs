//! Enums as the tables store them.

use crate::domain::{AppliedKind, MovementKind, StateName};

pub(crate) const HELD: i16 = 1;
pub(crate) const COMMITTED: i16 = 2;

pub(crate) fn state(state: StateName) -> i16 {
    match state {
        StateName::Held => HELD,
        StateName::Committed => COMMITTED,
        StateName::Fulfilled => 3,
        StateName::Expired => 4,
        StateName::Released => 5,
        StateName::Tombstone => 6,
    }
}

pub(crate) fn movement_kind(kind: MovementKind) -> i16 {
    match kind {
        MovementKind::Set => 1,
        MovementKind::Adjust => 2,
        MovementKind::Fulfill => 3,
        MovementKind::Return => 4,
        MovementKind::TransferOut => 5,
        MovementKind::TransferIn => 6,
    }
}

pub(crate) fn movement_kind_of(code: i16) -> Option<MovementKind> {
    [
        MovementKind::Set,
        MovementKind::Adjust,
        MovementKind::Fulfill,
        MovementKind::Return,
        MovementKind::TransferOut,
        MovementKind::TransferIn,
    ]
    .into_iter()
    .find(|kind| movement_kind(*kind) == code)
}

pub(crate) fn applied_kind(kind: AppliedKind) -> i16 {
    match kind {
        AppliedKind::Fulfillment => 1,
        AppliedKind::Return => 2,
    }
}
