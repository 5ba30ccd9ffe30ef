//! Winnerr Referrals: what all functions share. Dependencies point one way:
//! functions → `http`, `store`, `aws` → `usecase` → `ports` → `domain`.

pub mod domain;
