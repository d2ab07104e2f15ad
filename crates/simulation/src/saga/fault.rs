//! What can go wrong at one moment.

use serde::Serialize;

/// When something that was held up comes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Late {
    /// So many moments later.
    After(u8),
    /// When nothing else is left to do.
    AtTheEnd,
}

use Late::{After, AtTheEnd};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Fault {
    // The call to a peer.
    /// It does not get there.
    Fails,
    /// It gets there, and its answer does not come back.
    LosesAnswer,
    /// It is carried out twice.
    Twice,
    /// It gets there, and once more later.
    LateCopy(Late),
    /// It counts as failed, and gets there later.
    Delayed(Late),
    /// It fails so often that the saga has to wait.
    PutOff,
    /// It has failed for too long.
    GivesUp,

    // The process.
    DiesBefore,
    DiesAfter,
    /// With an answer that it has not written.
    DiesUnrecorded,
    DiesRecorded,
    /// Dies after the call, and comes back with another time to hold stock.
    Redeployed,
    /// Stops longer than its claim lasts, and then goes on.
    FreezesBefore(Late),
    FreezesAfter(Late),

    // The customer.
    /// Cancels at the process that runs the saga.
    CancelsHere,
    /// Cancels at another one; this one goes on until it is fenced.
    CancelsElsewhere(Late),

    // The stock.
    HoldRunsOut,
    /// And somebody else buys the goods.
    SoldMeanwhile,
    GoodsLost,

    // The provider.
    Declines,
    RefusesCapture,
    RefusesRefund,
    SlowRefunds,
    AuthorizationEnds,
    ProviderDown,
    /// It does what it is asked to, and its answer does not come back.
    ProviderDeaf,
    /// Everything it ever told is told again, the newest first.
    Webhooks,
    /// payment-service looks after what is open.
    Reconciles,
}

impl Fault {
    pub const ALL: [Fault; 33] = [
        Fault::Fails,
        Fault::LosesAnswer,
        Fault::Twice,
        Fault::LateCopy(After(2)),
        Fault::LateCopy(AtTheEnd),
        Fault::Delayed(After(2)),
        Fault::Delayed(AtTheEnd),
        Fault::PutOff,
        Fault::GivesUp,
        Fault::DiesBefore,
        Fault::DiesAfter,
        Fault::DiesUnrecorded,
        Fault::DiesRecorded,
        Fault::Redeployed,
        Fault::FreezesBefore(After(2)),
        Fault::FreezesBefore(AtTheEnd),
        Fault::FreezesAfter(After(2)),
        Fault::FreezesAfter(AtTheEnd),
        Fault::CancelsHere,
        Fault::CancelsElsewhere(After(1)),
        Fault::CancelsElsewhere(AtTheEnd),
        Fault::HoldRunsOut,
        Fault::SoldMeanwhile,
        Fault::GoodsLost,
        Fault::Declines,
        Fault::RefusesCapture,
        Fault::RefusesRefund,
        Fault::SlowRefunds,
        Fault::AuthorizationEnds,
        Fault::ProviderDown,
        Fault::ProviderDeaf,
        Fault::Webhooks,
        Fault::Reconciles,
    ];
}
