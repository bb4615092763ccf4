//! Amounts as people read them.

use armring_wire::Amount;

/// `12.50 CNY`.
#[must_use]
pub fn show(amount: Amount) -> String {
    show_signed(i128::from(amount.minor()), amount.currency().numeric())
}

/// `-12.50 CNY`, of a number of minor units and an ISO 4217 numeric code.
#[must_use]
pub fn show_signed(minor: i128, numeric: u16) -> String {
    let currency = iso_currency::Currency::from_numeric(numeric);
    let decimals = currency.and_then(iso_currency::Currency::exponent).map_or(0, usize::from);
    let code = currency.map_or_else(|| format!("currency {numeric:03}"), |currency| currency.code().to_owned());
    let digits = format!("{:0width$}", minor.unsigned_abs(), width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    let point = if decimals == 0 { "" } else { "." };
    let sign = if minor < 0 { "-" } else { "" };
    format!("{sign}{whole}{point}{fraction} {code}")
}

#[cfg(test)]
mod tests {
    use armring_wire::Currency;

    use super::*;

    #[test]
    fn amounts_have_the_decimals_of_their_currency() {
        assert_eq!(show(Amount::new(12_50, Currency::CNY)), "12.50 CNY");
        assert_eq!(show(Amount::new(5, Currency::EUR)), "0.05 EUR");
        assert_eq!(show(Amount::new(500, Currency::JPY)), "500 JPY");
        assert_eq!(show_signed(-7, 156), "-0.07 CNY");
    }
}
