//! The plan of one run, drawn from its seed: who orders what, what goes wrong and how often.

use crate::{
    dice::Dice,
    fault::{Fault, Rates},
};
use oms_core::{
    gateway::simulated::{Draws, Windows},
    message::Limit,
    saga::SagaTimes,
    worker::{Options, RetryPolicy},
};
use std::{collections::BTreeSet, time::Duration};

/// What a run leaves out of what its seed would bring: how a failing run is made smaller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cuts {
    /// Customers that do not come, by number.
    pub orders: BTreeSet<u32>,
    /// Kinds of trouble that do not happen.
    pub faults: BTreeSet<Fault>,
    /// Nothing goes wrong after this time.
    pub trouble: Option<Duration>,
    /// One process only.
    pub alone: bool,
}

/// What the orders of a run are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workload {
    /// A few lines each, over a few SKUs.
    Usual,
    /// Every order wants the same SKU, of which there is too little.
    HotSku,
    /// One order of 500 lines among the others.
    LongOrder,
    /// Every customer cancels, at any moment.
    Cancels,
}

/// How many orders a run has.
pub const ORDERS: u32 = 20;

/// Everything that a run is made of.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Its seed.
    pub seed: u64,
    /// Customers that come.
    pub orders: Vec<u32>,
    /// What they want.
    pub workload: Workload,
    /// How often what goes wrong.
    pub rates: Rates,
    /// How long things go wrong.
    pub trouble: Duration,
    /// How many processes serve the installation.
    pub processes: usize,
    /// Whether each process serves some of the services only.
    pub apart: bool,
    /// Whether the broker is the process's own, and dies with it.
    pub embedded: bool,
    /// Whether packs travel as JSON; otherwise as references, which is what makes most runs cheap.
    pub json: bool,
    /// Whether calls of the store give way to others before and after.
    pub gives_way: u32,
    /// The settings of the loops.
    pub options: Options,
    /// How long the steps of the saga may take.
    pub times: SagaTimes,
    /// How providers draw.
    pub draws: Draws,
    /// How long providers take.
    pub windows: Windows,
    /// Units of each SKU.
    pub units: i64,
}

impl Plan {
    /// Draws the plan of a seed.
    #[must_use]
    pub fn draw(seed: u64, cuts: &Cuts) -> Self {
        let mut dice = Dice::new(seed, "plan");
        let mut rates =
            if dice.happens(40) { Rates::calm() } else { Rates::draw(&mut Dice::new(seed, "rates")) };
        cuts.faults.iter().for_each(|fault| rates.without(*fault));
        let workload = match dice.below(40) {
            0..6 => Workload::HotSku,
            6..10 => Workload::Cancels,
            10 => Workload::LongOrder,
            _ => Workload::Usual,
        };
        let processes = if dice.happens(550) { 1 } else { dice.index(2) + 2 };
        let apart = dice.happens(400);
        let embedded = processes == 1 && dice.happens(500);
        let trouble = dice.millis(3_000, 25_000);
        let mut plan = Self {
            seed,
            orders: (0..ORDERS).filter(|number| !cuts.orders.contains(number)).collect(),
            workload,
            trouble: cuts.trouble.map_or(trouble, |cut| cut.min(trouble)),
            processes: if cuts.alone { 1 } else { processes },
            apart: apart && processes > 1 && !cuts.alone,
            embedded,
            json: dice.happens(30),
            gives_way: [0, 200, 600][dice.index(3)],
            options: options(&mut dice),
            times: times(&mut dice),
            draws: Draws::new(seed),
            windows: windows(&mut dice),
            units: i64::try_from(dice.between(6, 60)).unwrap_or(6),
            rates,
        };
        plan.draws = plan.provider();
        plan
    }

    /// What providers answer, as far as their own library draws it.
    fn provider(&self) -> Draws {
        let million = |fault| self.rates.of(fault) * 1_000;
        Draws::new(self.seed)
            .declining(million(Fault::Decline))
            .wavering(million(Fault::Waver), 500_000)
            .refusing(million(Fault::RefuseParcel))
            .losing_mail(million(Fault::LoseMail))
    }

    /// Whether the broker confirms what it then loses: hearers outside may miss that.
    #[must_use]
    pub fn loses(&self) -> bool {
        [Fault::Lose, Fault::QueueMissing].iter().any(|fault| self.rates.of(*fault) > 0) || self.embedded
    }

    /// Whether the broker may forget, or come late, by what this plan brings: then the store is asked, and may be.
    #[must_use]
    pub fn may_forget(&self) -> bool {
        const FORGETS: &[Fault] = &[
            Fault::Delay,
            Fault::Lose,
            Fault::UnknownLost,
            Fault::Refuse,
            Fault::Wipe,
            Fault::Swap,
            Fault::Dead,
            Fault::QueueMissing,
            Fault::Zombie,
            Fault::StoreAway,
            Fault::DiskFull,
            Fault::StoreTimeout,
            Fault::CommitUnknown,
            Fault::ClockJump,
            Fault::Conflict,
            Fault::CrashLoop,
            Fault::CrashProcess,
            Fault::Restart,
            // A process drains and boots again to bring the new group.
            Fault::GroupAdded,
            Fault::StoreRefuses,
        ];
        FORGETS.iter().any(|fault| self.rates.of(*fault) > 0)
    }
}

fn options(dice: &mut Dice) -> Options {
    let outage =
        RetryPolicy { attempts: u32::MAX, first: Duration::from_millis(20), longest: Duration::from_secs(1) };
    let retry =
        RetryPolicy { attempts: 4, first: Duration::from_millis(200), longest: Duration::from_secs(3) };
    let messages = [2, 5, 20, 200][dice.index(4)];
    Options {
        lanes: [1, 2, 2, 3][dice.index(4)],
        batch: Limit { messages, bytes: 1 << 20 },
        streams: [8, 4_096][dice.index(2)],
        pack: Limit { messages: [1, 3, 100][dice.index(3)], bytes: 1 << 18 },
        lease: Duration::from_secs(3),
        overdue: Duration::from_secs(5),
        retry,
        outage,
        backlog: [40, 100_000, 100_000][dice.index(3)],
    }
}

fn times(dice: &mut Dice) -> SagaTimes {
    let short = dice.happens(500);
    let mut step = || if short { dice.millis(1_000, 30_000) } else { Duration::from_secs(600) };
    let (reserve, payment, commit) = (step(), step(), step());
    SagaTimes { reserve, payment, commit, ..SagaTimes::default() }
}

fn windows(dice: &mut Dice) -> Windows {
    if dice.happens(300) {
        return Windows::default();
    }
    Windows {
        approval: dice.millis(0, 10_000),
        late: dice.millis(0, 30_000),
        dispatch: dice.millis(0, 5_000),
        delivery: dice.millis(0, 5_000),
    }
}
