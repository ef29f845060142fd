//! `oms import`: a file's orders, from placed to ended.

use super::{
    open::{must_share, open},
    output::print,
    site::Site,
};
use crate::{
    args::ImportArgs,
    exit::{Blame, Failure},
    import::{House, Intake, Pace, Settled, StockLevels, Stop, Taken},
    plan::{Gather, PaymentMix, Services, Survey},
    report::{Report, place},
    show::{ImportAnswer, Progress, figures, grouped},
    source::{Reading, Rows, SourceError},
    world::World,
};
use oms_core::money::Money;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// How long the loops may take to finish what they have begun.
const DRAIN: Duration = Duration::from_secs(10);

/// What to bring in, and how.
pub(super) struct Plan {
    pub(super) file: PathBuf,
    pub(super) reading: Reading,
    pub(super) services: Services,
    pub(super) stock: StockLevels,
    pub(super) pace: Pace,
    pub(super) settle: Duration,
    pub(super) report: PathBuf,
}

/// What came of it.
pub(super) struct Brought {
    pub(super) answer: ImportAnswer,
    pub(super) open: u64,
    pub(super) stopped: bool,
    /// How often the store or the broker could not be reached meanwhile.
    pub(super) outages: u64,
}

pub(super) async fn run(site: &Site, json: bool, args: &ImportArgs) -> Result<(), Failure> {
    let db = site.db();
    if args.no_services {
        must_share(site, "--no-services")?;
    }
    let stock = StockLevels::read(&args.stock).map_err(Failure::input)?;
    let plan = Plan {
        file: args.file.clone(),
        reading: args.reading(),
        services: args.services.clone().map_or_else(Services::default, |codes| codes.into_iter().collect()),
        stock,
        pace: Pace::per_second(args.rate),
        settle: args.settle,
        report: args.report.clone().unwrap_or_else(|| place(db, &args.file)),
    };
    // The file is read before the database is touched: what is refused leaves nothing behind.
    let survey = plan.survey()?;
    let (mut shop, world) = open(site, World::default(), &args.world).await?;
    if !args.no_services {
        shop.run();
    }
    let stop = on_ctrl_c();
    let brought = match plan.open_books(&shop, &survey).await {
        Ok(()) => plan.bring(&shop, &survey, world.mix(), &stop).await,
        Err(failure) => Err(failure),
    };
    shop.close(DRAIN).await;
    let mut brought = brought.map_err(|failure| failure.about(db))?;
    brought.outages = shop.oms().metrics().outages;
    print(json, &brought.answer, || shown(&brought, &survey))?;
    brought.finished(db)
}

impl Brought {
    /// A run that was stopped, or that could not write any more, has not done what it was asked.
    pub(super) fn finished(&self, db: &Path) -> Result<(), Failure> {
        if self.stopped {
            let text = "stopped before all orders had ended; the same command goes on where it stopped";
            return Err(Failure::outside(text));
        }
        if self.open > 0 && self.outages > 0 {
            let text = format!(
                "{} orders have not ended, for it could not be written; check its disk, then the same command goes on",
                self.open
            );
            return Err(Failure::outside(text).about(db));
        }
        Ok(())
    }
}

impl Plan {
    /// Reads the whole file once.
    pub(super) fn survey(&self) -> Result<Survey, Failure> {
        let rows = Rows::open(&self.file, &self.reading);
        rows.and_then(|rows| Survey::read(rows, &self.services)).map_err(|error| match &error {
            SourceError::Open { .. } | SourceError::NotAFile { .. } => Failure::from(error),
            SourceError::Empty
            | SourceError::Encoding { .. }
            | SourceError::LongLine { .. }
            | SourceError::MissingColumns { .. }
            | SourceError::ColumnTwice(_)
            | SourceError::NotJson { .. }
            | SourceError::NoCurrency
            | SourceError::Currency(_)
            | SourceError::Changed
            | SourceError::Read { .. } => Failure::from(error).about(&self.file),
        })
    }

    /// Puts the opening stock on the shelves, once for each SKU.
    pub(super) async fn open_books<H: House>(&self, house: &H, survey: &Survey) -> Result<(), Failure> {
        house.adjust(self.stock.opening(survey.skus())).await.map_err(Failure::outside)
    }

    /// Brings the file in, until all its orders have ended.
    pub(super) async fn bring<H: House>(
        &self,
        house: &H,
        survey: &Survey,
        mix: PaymentMix,
        stop: &Stop,
    ) -> Result<Brought, Failure> {
        let mut report = Report::create(&self.report).map_err(Failure::outside)?;
        let rows = Rows::open(&self.file, &self.reading)?;
        let gather = Gather::new(rows, survey, &self.services, mix);
        let orders = survey.totals().orders;
        let placing = Progress::new("placing", orders);
        let intake = Intake::new(house, &mut report, self.pace);
        let (taken, watch) = intake.run(gather, stop, |done| placing.reach(done)).await?;
        drop(placing);
        let ending = Progress::new("ending", taken.placed + taken.already_known);
        let settled = watch.run(house, self.settle, stop, |done| ending.reach(done)).await?;
        for row in &settled.too_late {
            report.add(row).map_err(Failure::outside)?;
        }
        report.finish().map_err(Failure::outside)?;
        let open = settled.open;
        Ok(Brought { answer: self.answer(survey, taken, settled), open, stopped: stop.asked(), outages: 0 })
    }

    fn answer(&self, survey: &Survey, taken: Taken, settled: Settled) -> ImportAnswer {
        let totals = survey.totals();
        ImportAnswer {
            orders: totals.orders - taken.refused_orders,
            rows: totals.rows,
            cancellation_invoices: totals.cancellation_invoices,
            cancellations_matched: totals.cancellations_matched,
            gross_minor: totals.gross_minor - taken.refused_minor,
            placed: taken.placed,
            already_known: taken.already_known,
            by_status: settled.by_status,
            refused_rows: totals.refused_rows + taken.refused_rows,
            report: self.report.clone(),
        }
    }
}

/// Ctrl-C asks the run to stop; a second one ends the process at once, which loses nothing either.
pub(super) fn on_ctrl_c() -> Stop {
    let stop = Stop::default();
    let asked = stop.clone();
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            if asked.asked() {
                std::process::exit(i32::from(Blame::Outside.code()));
            }
            asked.ask();
        }
    });
    stop
}

fn shown(brought: &Brought, survey: &Survey) -> String {
    let (answer, totals) = (&brought.answer, survey.totals());
    let unmatched = totals.cancellation_invoices - totals.cancellations_matched;
    let count = |name: &str, number: u64| (name.to_owned(), grouped(number.into()));
    let mut rows = vec![
        count("rows", answer.rows),
        count("orders", answer.orders),
        ("gross".to_owned(), Money::new(answer.gross_minor, survey.currency()).to_string()),
        count("placed now", answer.placed),
        count("placed before", answer.already_known),
        count("cancellations of whole orders", totals.cancellations_matched),
        count("returns, not supported yet", unmatched),
        count("refused rows", answer.refused_rows),
    ];
    rows.extend(answer.by_status.iter().map(|(status, number)| count(status, *number)));
    rows.push(count("not ended", brought.open));
    format!("{}\nwhat became nothing is listed in {}", figures(rows), answer.report.display())
}
