//! From which status a referral may go to which, and who may take it there. The whole table stands here, and nowhere else.

use super::referral::ReferralStatus::{self, Contacted, Converted, Lost, Qualified, Received};

/// Who moves a referral.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mover {
    /// A member, by hand.
    Agent,
    /// The referral's deal was won.
    DealWon,
    /// The referral's deal was taken back.
    DealReversed,
    /// Nobody took it up for as long as captures are kept.
    Clock,
}

/// What an agent asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Contact,
    Qualify,
    /// Takes up a lost referral again.
    Reopen,
    Lose,
    Convert,
    /// By its target, as a patch names it.
    To(ReferralStatus),
}

impl Step {
    #[must_use]
    pub fn target(self) -> ReferralStatus {
        match self {
            Self::Contact | Self::Reopen => Contacted,
            Self::Qualify => Qualified,
            Self::Lose => Lost,
            Self::Convert => Converted,
            Self::To(status) => status,
        }
    }

    /// Whether an agent may take this step from `from`. A lost referral is taken up again by `Reopen`, and nothing else
    /// is; a patch only names the target.
    #[must_use]
    pub fn is_open_from(self, from: ReferralStatus) -> bool {
        let by_name = match self {
            Self::Contact => from != Lost,
            Self::Reopen => from == Lost,
            Self::Qualify | Self::Lose | Self::Convert | Self::To(_) => true,
        };
        by_name && may_move(from, self.target(), Mover::Agent)
    }
}

/// Whether the edge exists for that mover. The time limit of a deal that is won late is not asked here.
#[must_use]
pub fn may_move(from: ReferralStatus, to: ReferralStatus, mover: Mover) -> bool {
    match (from, to) {
        (Received, Lost) => matches!(mover, Mover::Agent | Mover::Clock),
        (Received, Contacted | Qualified)
        | (Contacted, Qualified | Lost)
        | (Qualified, Contacted | Lost)
        | (Lost, Contacted) => mover == Mover::Agent,
        (Received | Contacted | Qualified, Converted) => matches!(mover, Mover::Agent | Mover::DealWon),
        (Lost, Converted) => mover == Mover::DealWon,
        (Converted, Qualified) => mover == Mover::DealReversed,
        _ => false,
    }
}

/// Where an agent may take a referral from `from`, in the order of the lifecycle.
#[must_use]
pub fn targets(from: ReferralStatus) -> Vec<ReferralStatus> {
    ReferralStatus::ALL.into_iter().filter(|to| may_move(from, *to, Mover::Agent)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The contract's table, and the clock's edge, written out: every pair that is not here is forbidden.
    const EDGES: [(ReferralStatus, ReferralStatus, &[Mover]); 13] = [
        (Received, Contacted, &[Mover::Agent]),
        (Received, Qualified, &[Mover::Agent]),
        (Received, Lost, &[Mover::Agent, Mover::Clock]),
        (Received, Converted, &[Mover::Agent, Mover::DealWon]),
        (Contacted, Qualified, &[Mover::Agent]),
        (Contacted, Lost, &[Mover::Agent]),
        (Contacted, Converted, &[Mover::Agent, Mover::DealWon]),
        (Qualified, Contacted, &[Mover::Agent]),
        (Qualified, Lost, &[Mover::Agent]),
        (Qualified, Converted, &[Mover::Agent, Mover::DealWon]),
        (Lost, Contacted, &[Mover::Agent]),
        (Lost, Converted, &[Mover::DealWon]),
        (Converted, Qualified, &[Mover::DealReversed]),
    ];

    #[test]
    fn every_edge_is_as_the_table_says() {
        for from in ReferralStatus::ALL {
            for to in ReferralStatus::ALL {
                for mover in [Mover::Agent, Mover::DealWon, Mover::DealReversed, Mover::Clock] {
                    let wanted =
                        EDGES.iter().any(|(one, other, who)| (*one, *other) == (from, to) && who.contains(&mover));
                    assert_eq!(may_move(from, to, mover), wanted, "{from:?} to {to:?} by {mover:?}");
                }
            }
        }
    }

    #[test]
    fn only_reopen_takes_up_what_was_lost_and_takes_up_nothing_else() {
        for from in ReferralStatus::ALL {
            assert_eq!(Step::Reopen.is_open_from(from), from == Lost, "{from:?}");
            assert_eq!(Step::Contact.is_open_from(from), matches!(from, Received | Qualified), "{from:?}");
        }
        assert!(Step::To(Contacted).is_open_from(Lost));
    }

    #[test]
    fn an_answer_names_the_targets() {
        assert_eq!(targets(Received), [Contacted, Qualified, Converted, Lost]);
        assert_eq!(targets(Lost), [Contacted]);
        assert_eq!(targets(Converted), []);
    }
}
