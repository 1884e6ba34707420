//! For stores that wrap another one, to count, delay or fail some of what is asked of it: the rest is handed on.

/// Gives methods of [`Store`](crate::Store), by name, inside its `impl` for a wrapper: they ask the store in its field
/// `$inner`.
///
/// ```
/// use leadledger::{Books, MemoryStore, Scope, Store, StoreError};
/// struct ReadOnly {
///     inner: MemoryStore,
/// }
/// leadledger::delegate_totals!(ReadOnly, inner);
/// leadledger::delegate_subscribers!(ReadOnly, inner);
/// impl Store for ReadOnly {
///     leadledger::delegate_store!(inner: book, leads, journal, books);
///     fn transact(&self, _: usize, _: &Scope, _: &mut dyn FnMut(&mut Books)) -> Result<(), StoreError> {
///         Err(StoreError::ReadOnly("by its own will".to_owned()))
///     }
/// }
/// let store = ReadOnly { inner: MemoryStore::new() };
/// assert!(store.books(&leadledger::BookQuery::After(None), 10).unwrap().is_empty());
/// ```
#[macro_export]
macro_rules! delegate_store {
    ($inner:ident: $($method:ident),+) => { $( $crate::delegate_store!(@ $inner $method); )+ };
    (@ $inner:ident lanes) => {
        fn lanes(&self) -> usize {
            self.$inner.lanes()
        }
    };
    (@ $inner:ident transact) => {
        fn transact(
            &self,
            lane: usize,
            scope: &$crate::Scope,
            work: &mut dyn FnMut(&mut $crate::Books),
        ) -> Result<(), $crate::StoreError> {
            self.$inner.transact(lane, scope, work)
        }
    };
    (@ $inner:ident book) => {
        fn book(
            &self,
            merchant: $crate::MerchantId,
            needs: &$crate::Needs,
        ) -> Result<$crate::Book, $crate::StoreError> {
            self.$inner.book(merchant, needs)
        }
    };
    (@ $inner:ident leads) => {
        fn leads(
            &self,
            query: &$crate::LeadQuery,
        ) -> Result<$crate::Page<($crate::LeadId, $crate::Lead)>, $crate::StoreError> {
            self.$inner.leads(query)
        }
    };
    (@ $inner:ident journal) => {
        fn journal(
            &self,
            query: &$crate::JournalQuery,
            limit: usize,
        ) -> Result<$crate::Page<$crate::Recorded>, $crate::StoreError> {
            self.$inner.journal(query, limit)
        }
    };
    (@ $inner:ident books) => {
        fn books(
            &self,
            query: &$crate::BookQuery,
            limit: usize,
        ) -> Result<Vec<($crate::MerchantId, $crate::Head)>, $crate::StoreError> {
            self.$inner.books(query, limit)
        }
    };
}

/// For a store that wraps another one: gives `$wrapper` the totals of the store in its field `$inner`.
#[macro_export]
macro_rules! delegate_totals {
    ($wrapper:ty, $inner:ident) => {
        impl $crate::Totals for $wrapper {
            fn partner(
                &self,
                partner: $crate::PartnerId,
            ) -> Result<Vec<($crate::MerchantId, $crate::Currency, $crate::PartnerAccounts)>, $crate::StoreError> {
                self.$inner.partner(partner)
            }

            fn platform(
                &self,
                after: Option<($crate::MerchantId, $crate::Currency)>,
                limit: usize,
            ) -> Result<Vec<($crate::MerchantId, $crate::Currency, $crate::PlatformAccounts)>, $crate::StoreError> {
                self.$inner.platform(after, limit)
            }
        }
    };
}

/// For a store that wraps another one: gives `$wrapper` the subscribers of the store in its field `$inner`.
#[macro_export]
macro_rules! delegate_subscribers {
    ($wrapper:ty, $inner:ident) => {
        impl $crate::Subscribers for $wrapper {
            fn cursor(&self, name: &$crate::SubscriberName) -> Result<Option<$crate::Cursor>, $crate::StoreError> {
                self.$inner.cursor(name)
            }

            fn advance(
                &self,
                name: &$crate::SubscriberName,
                from: Option<&$crate::Cursor>,
                to: &$crate::Cursor,
            ) -> Result<bool, $crate::StoreError> {
                self.$inner.advance(name, from, to)
            }
        }
    };
}
