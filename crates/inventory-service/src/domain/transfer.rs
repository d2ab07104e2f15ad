//! Moving free stock to another location.

use types::{LocationId, Quantity, Sku};

use super::{
    level::{Level, Spot},
    movement::{Cause, MovementKind},
    refusal::Refusal,
    stockroom::Stockroom,
};

/// What TransferStock is asked for; the two locations differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    pub sku: Sku,
    pub from: LocationId,
    pub to: LocationId,
    pub quantity: Quantity,
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transferred {
    pub from: Level,
    pub to: Level,
}

impl Transfer {
    pub fn spots(&self) -> [Spot; 2] {
        let spot = |location: &LocationId| (self.sku.clone(), location.clone());
        [spot(&self.from), spot(&self.to)]
    }
}

impl Stockroom {
    pub fn transfer(&mut self, transfer: &Transfer) -> Result<Transferred, Refusal> {
        if !self.items.contains_key(&transfer.sku) {
            let skus = vec![transfer.sku.clone()];
            return Err(Refusal::UnknownSku { skus });
        }
        let mut ends = [&transfer.from, &transfer.to].into_iter();
        if let Some(unknown) = ends.find(|end| !self.locations.contains(*end)) {
            return Err(Refusal::UnknownLocation(unknown.clone()));
        }
        let [from, to] = transfer.spots();
        let quantity = transfer.quantity.get();
        let available = self.level(&from).map_or(0, Level::available);
        let insufficient = || Refusal::InsufficientStock {
            sku: transfer.sku.clone(),
            location_id: transfer.from.clone(),
            requested: quantity,
            available,
        };
        if available < quantity {
            return Err(insufficient());
        }
        self.move_units(&from, -quantity, MovementKind::TransferOut, transfer);
        self.move_units(&to, quantity, MovementKind::TransferIn, transfer);
        match (self.level(&from), self.level(&to)) {
            (Some(from), Some(to)) => Ok(Transferred {
                from: from.clone(),
                to: to.clone(),
            }),
            _ => Err(insufficient()),
        }
    }

    fn move_units(&mut self, spot: &Spot, delta: i64, kind: MovementKind, transfer: &Transfer) {
        self.change_level(spot, |level| level.on_hand += delta);
        let cause = Cause {
            kind,
            reference: String::new(),
            reason: transfer.reason.clone(),
        };
        self.record_movement(spot, delta, cause);
    }
}
