//! Delivery as AWS promises it, and no better: at least once, in any order, in batches of any size, and late.

use fastrand::Rng;

use crate::{Name, consumers::Message};

/// So often at most.
const MOST_COPIES: usize = 5;
/// Of ten copies, how many come when everything else is over.
const LATE: u8 = 3;
/// Of ten answers that nothing failed, how many get lost on their way back.
const LOST: u8 = 2;

/// How often it happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Redelivered {
    /// Messages beyond the first of an event.
    pub copies: usize,
    /// Messages that came when everything else was over.
    pub late: usize,
    /// Batches that were taken and delivered again.
    pub batches: usize,
}

#[derive(Debug)]
pub struct Redelivery {
    random: Rng,
    late: Vec<(Name, Message)>,
    pub counts: Redelivered,
}

impl Redelivery {
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { random: Rng::with_seed(seed), late: Vec::new(), counts: Redelivered::default() }
    }

    /// Puts one to five copies among those that wait. At least one is not late, so that there is something to go on with.
    pub(crate) fn spread(&mut self, function: Name, waiting: &mut Vec<Message>, message: &Message) {
        for copy in 0..self.random.usize(1..=MOST_COPIES) {
            let message = Message { id: format!("{}-{copy}", message.id), ..message.clone() };
            self.counts.copies += usize::from(copy > 0);
            if copy > 0 && self.random.u8(0..10) < LATE {
                self.late.push((function, message));
            } else {
                waiting.insert(self.random.usize(0..=waiting.len()), message);
            }
        }
    }

    /// How many of so many are delivered at once.
    pub(crate) fn batch(&mut self, most: usize) -> usize {
        self.random.usize(1..=most)
    }

    /// Whether the answer that nothing failed gets lost.
    pub(crate) fn loses_the_answer(&mut self) -> bool {
        let is_lost = self.random.u8(0..10) < LOST;
        self.counts.batches += usize::from(is_lost);
        is_lost
    }

    /// What was kept back and comes now.
    pub(crate) fn late(&mut self) -> Vec<(Name, Message)> {
        self.counts.late += self.late.len();
        let mut late = std::mem::take(&mut self.late);
        self.random.shuffle(&mut late);
        late
    }
}
