//! A whole band: its wearer, its flash, its radio, its own phones and whoever else has come.

mod life;
mod peer;
mod purse;
mod room;
mod rules;
mod says;

use self::life::Life;
use crate::input::Input;

/// So much happens to one band at most.
const MOST: usize = 120;

/// Does to a band whatever the input says, with its owner's phone in the hands of an attacker. Each thing that it stores, signs or erases
/// is held against what its wearer did. In the end it still pays, unless it was told to forget: that is tried where the input asks for it.
pub fn band(data: &[u8]) {
    let mut input = Input::new(data);
    let mut life = Life::new(&mut input);
    for _ in 0..MOST {
        if input.is_empty() {
            break;
        }
        life.goes_on(&mut input);
    }
    life.ends_well();
}
