//! Threads, channels, a panic that is caught, files, and formatted output.
use std::collections::BTreeMap;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;

fn main() {
    let counts = Arc::new(Mutex::new(BTreeMap::new()));
    let (sender, receiver) = mpsc::channel();
    let workers: Vec<_> = (0..8u64)
        .map(|number| {
            let counts = Arc::clone(&counts);
            let sender = sender.clone();
            thread::spawn(move || {
                let mut state = number + 1;
                for _ in 0..1000 {
                    state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    *counts.lock().unwrap().entry(state >> 60).or_insert(0u32) += 1;
                }
                sender.send(state).unwrap();
            })
        })
        .collect();
    drop(sender);
    for worker in workers {
        worker.join().unwrap();
    }
    let sum = receiver.iter().fold(0u64, u64::wrapping_add);
    println!("sum {sum:016x}");
    for (key, count) in counts.lock().unwrap().iter() {
        println!("{key:2} {count}");
    }
    let outcome = thread::spawn(|| panic!("on purpose")).join();
    println!("the panic was caught: {}", outcome.is_err());
    std::fs::write("/tmp/rust", "hello from Rust\n").unwrap();
    print!("{}", std::fs::read_to_string("/tmp/rust").unwrap());
    std::process::exit(5);
}
