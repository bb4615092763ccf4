//! How often a payee asks the allocator for memory.

use armring_wire::records::payee::FromPayee;

use crate::common::stall::*;
use crate::common::*;

#[test]
fn a_token_is_taken_on_trust_with_memory_for_what_is_kept_of_it_alone() {
    let mut stall = Stall::new();
    let mut sale = stall.asks(1_250);
    let said = says(&offline_token(&sale, |_| {}), &credential_with(|_| {}));
    let forged = says(&offline_token(&sale, |body| body.amount = cny(1)), &credential_with(|_| {}));
    let refused = allocation_counter::measure(|| assert!(matches!(stall.hears(&mut sale, &forged), FromPayee::Refused(_))));
    let taken = allocation_counter::measure(|| assert_eq!(stall.hears(&mut sale, &said), FromPayee::Pending));
    let again = allocation_counter::measure(|| assert_eq!(stall.hears(&mut sale, &said), FromPayee::Pending));
    assert_eq!((refused.count_total, taken.count_total, again.count_total), (0, 4, 0));
}
