//! Accounts that are open, remembered for at most thirty seconds: the one read that every call of the API would repeat.

use super::recent::Recent;
use crate::{
    domain::{
        id::{OrgId, UserId},
        scope::OrgScope,
    },
    ports::{Account, AccountDirectory, Clock, StoreError},
};

/// Remembers open accounts only: whoever was suspended and is let in again is let in at once.
#[derive(Debug)]
pub struct AccountCache<D, C> {
    directory: D,
    recent: Recent<(OrgId, UserId), Account, C>,
}

impl<D, C: Clock> AccountCache<D, C> {
    pub fn new(directory: D, clock: C) -> Self {
        Self { directory, recent: Recent::new(clock) }
    }
}

impl<D: AccountDirectory, C: Clock> AccountDirectory for AccountCache<D, C> {
    async fn find_account(&self, scope: &OrgScope, user: &UserId) -> Result<Option<Account>, StoreError> {
        let key = (scope.organization().clone(), user.clone());
        let read_at = match self.recent.find(&key) {
            Ok(account) => return Ok(Some(account)),
            Err(now) => now,
        };
        let account = self.directory.find_account(scope, user).await?;
        if let Some(account) = account.as_ref().filter(|account| account.is_open()) {
            self.recent.remember(&key, read_at, account);
        }
        Ok(account)
    }
}
