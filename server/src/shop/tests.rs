//! The real services, run by an import, over the store in memory.

use super::*;
use crate::{
    import::{Intake, Pace, Settled, StockLevels, Stop, Taken},
    plan::{Gather, PaymentMix, Services, Survey},
    report::Report,
    source::{Reading, Rows},
};
use oms_core::{broker::MemoryBroker, projection::model::MemoryModels, store::MemoryStore};
use std::path::Path;

async fn import(shop: &Shop, file: &Path, folder: &Path) -> (Taken, Settled) {
    let rows = || Rows::open(file, &Reading::default()).expect("it can be read");
    let (services, stop) = (Services::default(), Stop::default());
    let survey = Survey::read(rows(), &services).expect("it can be read");
    shop.adjust(StockLevels::default().opening(survey.skus())).await.expect("stock");
    let gather = Gather::new(rows(), &survey, &services, PaymentMix::default());
    let mut report = Report::create(&folder.join("report.csv")).expect("it can be written");
    let intake = Intake::new(shop, &mut report, Pace::default());
    let (taken, watch) = intake.run(gather, &stop, |_| {}).await.expect("the shop answers");
    let settled = watch.run(shop, Duration::from_secs(20), &stop, |_| {}).await.expect("the shop answers");
    (taken, settled)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_of_a_file_end_and_the_cancelled_one_is_cancelled() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("orders.csv");
    let text = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n\
                1,A,,1,1/1/2011 8:00,1.00,c,UK\n2,A,,2,1/1/2011 9:00,1.00,c,UK\n2,POST,,1,1/1/2011 9:00,5.00,c,UK\n\
                C3,A,,-1,1/2/2011 8:00,1.00,c,UK\n";
    std::fs::write(&file, text).expect("it can be written");
    let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
    let ledger = Ledger::open(&folder.path().join("ledger")).expect("it opens");
    let mut shop = Shop::open(
        Arc::new(MemoryBroker::default()),
        (store, Arc::<MemoryModels>::default()),
        ledger,
        World::default(),
        &[],
    )
    .await
    .expect("it opens");
    shop.run();
    let (taken, settled) = import(&shop, &file, folder.path()).await;
    assert_eq!((taken.placed, taken.already_known, settled.open), (2, 0, 0));
    assert_eq!(
        settled.by_status.iter().map(|(name, n)| (name.as_str(), *n)).collect::<Vec<_>>(),
        [("cancelled", 1), ("completed", 1)]
    );
    let first = shop.oms().check(None, true).await.expect("it checks");
    assert_eq!(first.violations, []);
    let (taken, _) = import(&shop, &file, folder.path()).await;
    assert_eq!((taken.placed, taken.already_known), (0, 2));
    let again = shop.oms().check(None, true).await.expect("it checks");
    assert_eq!((again.summary_hash, again.totals.shipped), (first.summary_hash, 2));
    shop.close(Duration::from_secs(5)).await;
}
