//! What a lane keeps in memory between batches: books as it committed them. They are good as long as the head that the
//! lane finds when it locks a book is the one that it left there: whoever else wrote has moved it.

use std::collections::HashMap;

use leadledger::{Book, MerchantId};

/// Rows that grow with the books and are kept, by one lane, at most.
const KEPT_ROWS: usize = 65_536;
/// Books that are kept, by one lane, at most.
const KEPT_BOOKS: usize = 8_192;

/// See the module's text.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    books: HashMap<MerchantId, Box<Book>>,
    rows: usize,
}

impl Kept {
    /// Takes a book out.
    pub(crate) fn take(&mut self, merchant: MerchantId) -> Option<Box<Book>> {
        let book = self.books.remove(&merchant)?;
        self.rows = self.rows.saturating_sub(weight(&book));
        Some(book)
    }

    /// Keeps a book as it was committed, or found.
    pub(crate) fn keep(&mut self, mut book: Box<Book>) {
        book.settle_changes();
        book.make_partial();
        book.private.clear();
        // These answer one batch only; a missed lead moves no head.
        book.keys.forget();
        book.successes.forget();
        book.references.forget();
        book.top_ups.forget();
        book.payouts.forget();
        book.missed.forget();
        book.days.forget();
        if self.rows.saturating_add(weight(&book)) > KEPT_ROWS {
            self.books.values_mut().for_each(|book| forget_leads(book));
            self.rows = self.books.values().map(|book| weight(book)).sum();
            forget_leads(&mut book);
        }
        if self.books.len() >= KEPT_BOOKS {
            self.books.clear();
            self.rows = 0;
        }
        self.rows = self.rows.saturating_add(weight(&book));
        self.books.insert(book.merchant, book);
    }
}

/// What commits may grow without bound. A lead that is kept has its deposit and its partner kept too.
fn forget_leads(book: &mut Book) {
    book.leads.forget();
    book.due.clear();
}

/// How many rows a book keeps that grow with it.
fn weight(book: &Book) -> usize {
    book.leads.known() + book.partners.known() + book.agreements.known()
}
