//! An import places, cancels, waits, and does nothing twice, whatever the house answers.

use super::*;
use crate::{
    plan::{Gather, PaymentMix, Services, Survey},
    report::Report,
    source::{Reading, Rows},
};
use async_trait::async_trait;
use oms_core::{
    event::{inventory::AdjustStock, public::Status},
    id::{OrderId, order_id},
};
use std::{collections::BTreeMap, io::Cursor, sync::Mutex, time::Duration};

const FILE: &str = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n\
    1,A,,1,1/1/2011 8:00,1.00,c,UK\n\
    2,A,,2,1/1/2011 9:00,1.00,c,UK\n\
    C3,A,,-1,1/2/2011 8:00,1.00,c,UK\n\
    4,A,,4,1/3/2011 8:00,1.00,c,UK\n";

/// A house by script: orders complete at the third look; held ones wait for their cancellation.
#[derive(Default)]
struct Scripted {
    orders: Mutex<BTreeMap<OrderId, (bool, u64, bool)>>,
    busy: Mutex<u32>,
    never: Option<&'static str>,
    stuck: Option<&'static str>,
    paused: Mutex<Duration>,
    stop_after: Option<(usize, Stop)>,
}

#[async_trait]
impl House for Scripted {
    async fn place(&self, wishes: &[Wish]) -> Result<Vec<Result<bool, NotPlaced>>, HouseError> {
        let mut orders = self.orders.lock().expect("no panic");
        let mut busy = self.busy.lock().expect("no panic");
        let mut place = |wish: &Wish| {
            if self.never == Some(&*wish.invoice) {
                return Err(NotPlaced::Never("no".to_owned()));
            }
            if *busy > 0 {
                *busy -= 1;
                return Err(NotPlaced::Later);
            }
            let hold = wish.order.hold_dispatch;
            let known = orders.insert(order_id(PRINCIPAL, &wish.invoice), (hold, 0, false));
            if let Some(known) = known {
                // The wish of the first time counts.
                orders.insert(order_id(PRINCIPAL, &wish.invoice), known);
            }
            Ok(known.is_some())
        };
        let answers = wishes.iter().map(&mut place).collect();
        if let Some((count, stop)) = &self.stop_after
            && orders.len() >= *count
        {
            stop.ask();
        }
        Ok(answers)
    }

    async fn adjust(&self, _: Vec<AdjustStock>) -> Result<(), HouseError> {
        Ok(())
    }

    async fn cancel(&self, order: &OrderId, _: &str) -> Result<Vec<String>, HouseError> {
        let mut orders = self.orders.lock().expect("no panic");
        let found = orders.get_mut(order).expect("it was placed");
        assert!(found.0 && !found.2, "only a held order is cancelled, and once");
        found.2 = true;
        Ok(Vec::new())
    }

    async fn standing(&self, order: &OrderId) -> Result<Option<Standing>, HouseError> {
        let mut orders = self.orders.lock().expect("no panic");
        let (hold, looks, cancelled) = orders.get_mut(order).expect("it was placed");
        let stuck = self.stuck.is_some_and(|invoice| order_id(PRINCIPAL, invoice) == *order);
        if !stuck && *looks < 3 {
            *looks += 1;
        }
        let held = *hold && *looks >= 2 && !*cancelled;
        let ended = !held && *looks == 3;
        let status = match (ended, *cancelled) {
            (true, true) => Status::Cancelled,
            (true, false) => Status::Completed,
            (false, _) => Status::Pending,
        };
        Ok(Some(Standing { status, ended, held, version: *looks }))
    }

    async fn pause(&self, time: Duration) {
        *self.paused.lock().expect("no panic") += time;
    }
}

async fn import(house: &Scripted, file: &str, pace: Pace, stop: &Stop) -> (Taken, Settled, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("report.csv");
    let rows = || Rows::csv(Cursor::new(file.to_owned()), &Reading::default()).expect("it can be read");
    let services = Services::default();
    let survey = Survey::read(rows(), &services).expect("it can be read");
    let gather = Gather::new(rows(), &survey, &services, PaymentMix::default());
    let mut report = Report::create(&path).expect("it can be written");
    let intake = Intake::new(house, &mut report, pace);
    let (taken, watch) = intake.run(gather, stop, |_| {}).await.expect("the house answers");
    let settled = watch.run(house, Duration::from_secs(1), stop, |_| {}).await.expect("the house answers");
    report.finish().expect("it can be written");
    (taken, settled, std::fs::read_to_string(&path).expect("it is there"))
}

fn counts(settled: &Settled) -> Vec<(&str, u64)> {
    settled.by_status.iter().map(|(status, count)| (status.as_str(), *count)).collect()
}

#[tokio::test]
async fn orders_are_placed_and_the_one_that_is_cancelled_is_cancelled_when_it_is_held() {
    let house = Scripted::default();
    let (taken, settled, _) = import(&house, FILE, Pace::default(), &Stop::default()).await;
    assert_eq!((taken.placed, taken.already_known), (3, 0));
    assert_eq!(counts(&settled), [("cancelled", 1), ("completed", 2)]);
    assert_eq!((settled.open, settled.too_late.len()), (0, 0));
}

#[tokio::test]
async fn a_second_run_places_nothing_and_cancels_what_is_left() {
    let house = Scripted::default();
    let stop = Stop::default();
    let stopping = Scripted { stop_after: Some((1, stop.clone())), ..Scripted::default() };
    let (first, _, _) = import(&stopping, FILE, Pace::per_second(10), &stop).await;
    assert_eq!(first.placed, 1, "it stopped after the first chunk");
    *house.orders.lock().expect("no panic") = stopping.orders.into_inner().expect("no panic");
    let (second, settled, _) = import(&house, FILE, Pace::default(), &Stop::default()).await;
    assert_eq!((second.placed, second.already_known), (2, 1));
    assert_eq!(counts(&settled), [("cancelled", 1), ("completed", 2)]);
    let (third, settled, _) = import(&house, FILE, Pace::default(), &Stop::default()).await;
    assert_eq!((third.placed, third.already_known), (0, 3));
    assert_eq!(settled.open, 0);
}

#[tokio::test]
async fn an_order_refused_at_the_door_is_listed_by_its_rows() {
    let house = Scripted { never: Some("4"), ..Scripted::default() };
    let (taken, _, report) = import(&house, FILE, Pace::default(), &Stop::default()).await;
    assert_eq!((taken.refused_orders, taken.refused_rows, taken.refused_minor), (1, 1, 400));
    assert_eq!(report, "line,invoice,reason\n5,4,no\n");
}

#[tokio::test]
async fn a_backlog_is_waited_for_and_loses_nothing() {
    let house = Scripted { busy: Mutex::new(5), ..Scripted::default() };
    let (taken, settled, _) = import(&house, FILE, Pace::default(), &Stop::default()).await;
    assert_eq!((taken.placed, settled.open), (3, 0));
}

#[tokio::test]
async fn an_order_that_does_not_move_is_given_up_after_the_settle_time() {
    let house = Scripted { stuck: Some("2"), ..Scripted::default() };
    let (_, settled, _) = import(&house, FILE, Pace::default(), &Stop::default()).await;
    assert_eq!(counts(&settled), [("cancelled", 1), ("completed", 1), ("pending", 1)]);
    assert_eq!(settled.open, 1);
    let paused = *house.paused.lock().expect("no panic");
    assert!(paused >= Duration::from_secs(1) && paused < Duration::from_secs(2), "{paused:?}");
}

#[tokio::test]
async fn a_file_that_grew_by_a_cancellation_says_that_it_came_too_late() {
    let house = Scripted::default();
    let first = FILE
        .replace("    C3,A,,-1,1/2/2011 8:00,1.00,c,UK\n", "")
        .replace("C3,A,,-1,1/2/2011 8:00,1.00,c,UK\n", "");
    import(&house, &first, Pace::default(), &Stop::default()).await;
    let (taken, settled, _) = import(&house, FILE, Pace::default(), &Stop::default()).await;
    assert_eq!((taken.placed, taken.already_known, taken.refused_orders), (0, 3, 0));
    assert_eq!(settled.too_late.len(), 1);
    assert_eq!((settled.too_late[0].line, settled.too_late[0].invoice.as_str()), (4, "C3"));
}

#[tokio::test]
async fn a_rate_is_kept() {
    let house = Scripted::default();
    import(&house, FILE, Pace::per_second(2), &Stop::default()).await;
    assert!(*house.paused.lock().expect("no panic") >= Duration::from_millis(1_500));
}
