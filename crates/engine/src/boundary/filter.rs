//! Which part of a comparison is wanted. Applied before parts are folded into their wholes, so that what was
//! not wanted never takes with it what was.

use parallax_model::selector::Selector;
use parallax_model::{AttributePath, Gap, Key};

use super::{Divergence, Judgement};
use crate::compare::Agreed;

/// Which part of a comparison is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only what one of these selects; everything, if there are none.
    pub only: Vec<Selector>,
    /// Not what one of these selects.
    pub ignore: Vec<Selector>,
}

impl Filter {
    /// Whether an attribute or (with `None`) a whole resource that one side lacks is wanted. A whole is
    /// wanted for any part of it, and unwanted only where all of it is.
    #[must_use]
    pub fn wants(&self, key: &Key, attribute: Option<&AttributePath>) -> bool {
        let wanted = |s: &Selector| s.selects(key, attribute) || (attribute.is_none() && s.selects_key(key));
        (self.only.is_empty() || self.only.iter().any(wanted))
            && !self.ignore.iter().any(|s| s.selects(key, attribute))
    }

    /// Whether a gap may hide something that is wanted. It is unwanted only where one selector covers all of it.
    #[must_use]
    pub fn wants_gap(&self, gap: &Gap) -> bool {
        let Ok(region) = Selector::parse(&gap.what) else { return true };
        (self.only.is_empty() || self.only.iter().any(|s| s.overlaps(&region)))
            && !self.ignore.iter().any(|s| s.covers(&region))
    }

    /// Whether everything is wanted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.only.is_empty() && self.ignore.is_empty()
    }

    pub(super) fn wants_divergence(&self, divergence: &Divergence) -> bool {
        self.wants(&divergence.difference.key, divergence.difference.attribute.as_ref())
    }

    /// Leaves in a judgement what is wanted.
    pub(super) fn apply(&self, judgement: &mut Judgement) {
        if self.is_empty() {
            return;
        }
        judgement.divergences.retain(|d| self.wants_divergence(d));
        judgement.suppressed.retain(|s| self.wants(&s.key, s.attribute.as_ref()));
        judgement.unknown.retain(|u| self.wants_gap(&u.gap));
        judgement.unobserved.retain(|u| self.wants_gap(&u.unknown.gap));
        judgement.agreed.retain_mut(|agreed| self.leave(agreed));
    }

    fn leave(&self, agreed: &mut Agreed) -> bool {
        agreed.attributes.retain(|(path, _)| self.wants(&agreed.key, Some(path)));
        !agreed.attributes.is_empty()
    }
}
