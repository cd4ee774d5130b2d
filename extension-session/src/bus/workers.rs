//! The threads that do what callers ask for.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The time for which a thread waits for another job: a caller that asks again soon finds it, and
/// an idle service has none.
const KEPT: Duration = Duration::from_secs(10);

type Job = Box<dyn FnOnce() + Send>;

/// Threads that do jobs in the order of their arrival, and end when there is nothing to do.
#[derive(Clone)]
pub(super) struct Workers(Arc<Shared>);

struct Shared {
    name: &'static str,
    most: usize,
    queue: Mutex<Queue>,
    arrived: Condvar,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize,
}

impl Workers {
    /// Makes at most `most` threads of this name, each when it is first needed.
    pub(super) fn new(name: &'static str, most: usize) -> Self {
        let (queue, arrived) = (Mutex::default(), Condvar::new());
        Self(Arc::new(Shared { name, most, queue, arrived }))
    }

    /// Gives a job to a thread. Where the system has no thread for it, the job is dropped.
    pub(super) fn run(&self, job: impl FnOnce() + Send + 'static) {
        let mut queue = self.0.lock();
        queue.jobs.push_back(Box::new(job));
        if queue.idle >= queue.jobs.len() || queue.threads >= self.0.most {
            drop(queue);
            self.0.arrived.notify_one();
            return;
        }
        queue.threads += 1;
        drop(queue);
        let shared = self.0.clone();
        let thread = std::thread::Builder::new().name(shared.name.to_owned());
        if thread.spawn(move || shared.work()).is_err() {
            let mut queue = self.0.lock();
            queue.threads -= 1;
            if queue.threads == 0 {
                queue.jobs.clear();
            }
        }
    }
}

impl Shared {
    /// A panic of a job, which is caught below, leaves whole entries.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        while let Some(job) = self.next() {
            // Its caller notices by the answer that does not come.
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job));
        }
    }

    /// Waits for a job. Returns nothing when none came for a while: the thread has ended then.
    fn next(&self) -> Option<Job> {
        let mut queue = self.lock();
        if queue.jobs.is_empty() {
            queue.idle += 1;
            let waited = self.arrived.wait_timeout_while(queue, KEPT, |it| it.jobs.is_empty());
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
            queue.idle -= 1;
        }
        let job = queue.jobs.pop_front();
        if job.is_none() {
            queue.threads -= 1;
        }
        job
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::Workers;
    use crate::testing::LONG;

    /// Jobs run beside each other up to the bound, the others after them, and a panic is the end of
    /// one job alone.
    #[test]
    fn jobs_run_within_the_bound() {
        let workers = Workers::new("test", 2);
        let (told, heard) = channel();
        let (first, second) = (channel::<()>(), channel::<()>());
        for (number, gate) in [(1, first.1), (2, second.1)] {
            let told = told.clone();
            workers.run(move || {
                told.send(number).expect("heard");
                let _ = gate.recv();
            });
        }
        let both = [heard.recv_timeout(LONG), heard.recv_timeout(LONG)].map(|it| it.expect("told"));
        assert_eq!(both[0] + both[1], 3);
        workers.run(|| panic!("as asked"));
        workers.run(move || told.send(3).expect("heard"));
        assert!(heard.try_recv().is_err(), "both threads are taken");
        drop(first.0);
        assert_eq!(heard.recv_timeout(LONG), Ok(3));
        drop(second.0);
    }
}
