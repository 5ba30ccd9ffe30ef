//! Who asks, and what they may see and do.

use super::{id::UserId, organization::Role, referral::Referral, scope::OrgScope};

/// A member of an organization, from verified claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub scope: OrgScope,
    pub user: UserId,
    pub role: Role,
}

impl Caller {
    /// Owners and admins act for every agent of the organization, a member only for themselves.
    #[must_use]
    pub fn may_act_for(&self, agent: &UserId) -> bool {
        self.role.manages_others() || self.user == *agent
    }

    #[must_use]
    pub fn may_see(&self, referral: &Referral) -> bool {
        referral.organization_id == *self.scope.organization() && self.may_act_for(&referral.agent_user_id)
    }

    /// The agent to whose referrals every list of this caller is narrowed.
    #[must_use]
    pub fn sees_only(&self) -> Option<&UserId> {
        (!self.role.manages_others()).then_some(&self.user)
    }
}
