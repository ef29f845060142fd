//! scratch
use oms_simulation::*;
fn main(){
 let a:Vec<u64>=std::env::args().skip(1).filter_map(|x|x.parse().ok()).collect();
 let (from,n)=(a[0],a[1]); let traced=std::env::args().any(|x|x=="--trace");
 let t=std::time::Instant::now(); let mut bad=0; let mut marks=Marks::default(); let mut polls=0; let mut lasted=0.0;
 for seed in from..from+n { let o=run(seed,&Cuts::default(),None,traced);
  if traced {println!("{}",o.trace);}
  polls+=o.polls; lasted+=o.lasted.as_secs_f64();
  marks.add(&o.marks);
  if !o.wrong.is_empty(){bad+=1; if bad<15 {println!("seed {seed}: {} polls {:?}", o.polls,o.lasted); for w in o.wrong.iter().take(4){println!("   {}",w.chars().take(300).collect::<String>());}}}
 }
 println!("{n} seeds, {bad} violations, {:.0} seeds/s; polls {} lasted {:.0}",n as f64/t.elapsed().as_secs_f64(),polls/n,lasted/n as f64);
 println!("never: {:?}",marks.never());
}
