// Threads, channels, a panic that is caught.
use std::sync::{mpsc, Arc, Mutex};
use std::thread;

fn main() {
    let total = Arc::new(Mutex::new(0u64));
    let threads: Vec<_> = (0..16).map(|i| {
        let total = total.clone();
        thread::spawn(move || for k in 0..10000u64 { *total.lock().unwrap() += k ^ i })
    }).collect();
    for t in threads { t.join().unwrap(); }
    let (send, receive) = mpsc::channel();
    thread::spawn(move || for i in 0..1000u64 { send.send(i).unwrap() });
    let sum: u64 = receive.iter().sum();
    std::panic::set_hook(Box::new(|_| {}));
    let caught = std::panic::catch_unwind(|| { let v: Vec<u32> = vec![]; v[3] }).is_err();
    println!("{} {} {}", total.lock().unwrap(), sum, caught);
}
