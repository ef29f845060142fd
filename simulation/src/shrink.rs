//! Makes a failing run smaller: fewer kinds of trouble, fewer orders, less time, while it still fails.

use crate::{
    fault::Fault,
    plan::{Cuts, Plan},
    plant::Plant,
    run::{Outcome, run},
};
use std::time::Duration;

/// The most runs that are spent on making one smaller.
const TRIES: u32 = 150;

/// Finds cuts under which `seed` still fails; what else is wrong then does not matter.
///
/// Gives the cuts and the outcome of the smallest run it found, traced.
#[must_use]
pub fn shrink(seed: u64, plant: Option<Plant>) -> (Cuts, Outcome) {
    let mut search = Search { seed, plant, best: Cuts::default(), tries: 0 };
    search.orders();
    search.faults();
    search.time();
    search.orders();
    let cuts = search.best;
    let outcome = run(seed, &cuts, plant, true);
    (cuts, outcome)
}

struct Search {
    seed: u64,
    plant: Option<Plant>,
    best: Cuts,
    tries: u32,
}

impl Search {
    /// Keeps a cut if the run still fails with it.
    fn attempt(&mut self, cut: impl FnOnce(&mut Cuts)) -> bool {
        let mut cuts = self.best.clone();
        cut(&mut cuts);
        if cuts == self.best || self.tries >= TRIES {
            return false;
        }
        self.tries += 1;
        let fails = !run(self.seed, &cuts, self.plant, false).wrong.is_empty();
        if fails {
            self.best = cuts;
        }
        fails
    }

    fn plan(&self) -> Plan {
        Plan::draw(self.seed, &self.best)
    }

    /// Half of the customers stay away, then a quarter, and so on.
    fn orders(&mut self) {
        let mut size = self.plan().orders.len() / 2;
        while size > 0 {
            let orders = self.plan().orders;
            for some in orders.chunks(size) {
                if self.plan().orders.len() > some.len() {
                    self.attempt(|cuts| cuts.orders.extend(some));
                }
            }
            size /= 2;
        }
    }

    fn faults(&mut self) {
        self.attempt(|cuts| cuts.alone = true);
        let present: Vec<Fault> = self.plan().rates.present().collect();
        for some in present.chunks(4) {
            self.attempt(|cuts| cuts.faults.extend(some));
        }
        let left: Vec<Fault> = self.plan().rates.present().collect();
        for fault in left {
            self.attempt(|cuts| _ = cuts.faults.insert(fault));
        }
    }

    fn time(&mut self) {
        let mut time = self.plan().trouble / 2;
        while time >= Duration::from_millis(100) && self.attempt(|cuts| cuts.trouble = Some(time)) {
            time /= 2;
        }
    }
}
