//! Any text is a query.

#![no_main]

use jirei::search::Query;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let query = Query::parse(text);
    let again = Query::from_expression(query.expression().clone());
    assert_eq!(again.expression(), query.expression());
});
