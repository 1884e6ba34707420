//! Exports and imports: the one kind of call that blocks for as long as the books are long, and so is made by a thread
//! of the host's, into a writer or from a source of the host's.

use std::io::{BufRead, Seek, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::export::{
    AccountingReport, ExportError, ExportReport, Format, Plan, Progress, Stage, StatementOrder, Which, each_book,
    export_jsonl, oldest_first, plan, statement_writer, write_accounting,
};
use crate::ids::{DepositId, MerchantId};
use crate::import::{Import, ImportError, ImportReport};
use crate::ledger::worker::internal;
use crate::ledger::{Inner, Ledger, lane_of};
use crate::store::Needs;

/// Lines of a statement that are looked up at once.
const STATEMENT_PAGE: usize = 512;

impl Ledger {
    /// Writes books as JSON lines (docs/export.md): every entry with the exact text that is hashed, the missed leads,
    /// and, `with_private`, the private texts that are not erased. Pages through the store; each book is exported to the
    /// head that it had when its turn came. Settles nothing: what is due by time will be settled wherever the books are
    /// taken.
    ///
    /// Blocks. Stops with [`ExportError::Output`] where `out` fails, and with `check_failed` where the journal does not
    /// chain or a private text is not the one its entry was made with.
    ///
    /// ```
    /// use leadledger::{Ledger, MemoryStore, MerchantId, OpenDeposit, Which};
    /// let ledger = Ledger::open(MemoryStore::new()).unwrap();
    /// ledger.open_deposit(OpenDeposit::new(MerchantId::generate(), "5000.00".parse().unwrap())).wait().unwrap();
    /// let mut file = Vec::new();
    /// let exported = ledger.export_jsonl(Which::All, true, &mut file, &mut |_| {}).unwrap();
    /// assert_eq!((exported.books, exported.entries), (1, 1));
    /// let other = Ledger::open(MemoryStore::new()).unwrap();
    /// let cut = file.len() - 1;
    /// let refused = other.import_jsonl(&mut std::io::Cursor::new(&file[..cut]), &mut |_| {}).unwrap_err();
    /// assert_eq!(refused.code(), "import_cut");
    /// assert_eq!(other.import_jsonl(&mut std::io::Cursor::new(&file), &mut |_| {}).unwrap().new_entries, 1);
    /// ```
    pub fn export_jsonl(
        &self,
        which: Which,
        with_private: bool,
        out: &mut dyn Write,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<ExportReport, ExportError> {
        self.guarded(|inner| export_jsonl(&*inner.store, which, with_private, out, progress))
    }

    /// Takes in books that [`Ledger::export_jsonl`] wrote, to the letter: same payloads, same hashes, same heads.
    ///
    /// `source` is read twice from where it stands. The first time everything is verified, and nothing is written: every
    /// line's form, every chain from its beginning, that every entry fits its book, and the digest over all. It holds one
    /// book in memory at a time, as [`Ledger::check`] does. Then the entries are written in bounded commits. A book must
    /// be absent, or a beginning of what is imported: then it goes on from there, so that an import that was interrupted
    /// can be run again; a book that is already as long or longer is left as it is. No other command should be given to a
    /// book before it is there whole: it would then be another book.
    ///
    /// Blocks. Every error but a [`ImportError::Ledger`], [`ImportError::BookMoved`] or
    /// [`ImportError::SourceChanged`] comes before anything was written.
    pub fn import_jsonl(
        &self,
        source: &mut (impl BufRead + Seek),
        progress: &mut dyn FnMut(Progress),
    ) -> Result<ImportReport, ImportError> {
        self.import_in_chunks(source, crate::import::CHUNK, progress)
    }

    /// With at most `chunk` entries in one commit.
    pub(crate) fn import_in_chunks(
        &self,
        source: &mut (impl BufRead + Seek),
        chunk: usize,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<ImportReport, ImportError> {
        self.guarded(|inner| {
            let lane = |merchant| lane_of(inner.queues.len(), merchant);
            Import { store: &*inner.store, lane: &lane, chunk, progress }.run(source)
        })
    }

    /// Writes a deposit's whole statement as CSV; see [`write_statement_csv`](crate::write_statement_csv) for its
    /// columns. Says how many lines there were; none where this merchant has no such deposit, and then nothing is written.
    ///
    /// Blocks. What is due on the book is settled first.
    pub fn export_statement_csv(
        &self,
        merchant: MerchantId,
        deposit: DepositId,
        order: StatementOrder,
        out: &mut dyn Write,
    ) -> Result<Option<u64>, ExportError> {
        self.guarded(|inner| {
            let needs = Needs { deposits: [deposit].into(), ..Needs::default() };
            let book = inner.settled(merchant, &needs)?;
            let Some(row) = book.deposits.get(&deposit) else { return Ok(None) };
            let mut writer = statement_writer(out, row.currency)?;
            match order {
                StatementOrder::OldestFirst => oldest_first(&*inner.store, &book, deposit, &mut writer)?,
                StatementOrder::NewestFirst => {
                    let mut after = None;
                    loop {
                        let page = inner.statement(merchant, deposit, after.as_ref(), STATEMENT_PAGE)?;
                        let Some(page) = page else { break };
                        page.lines.iter().try_for_each(|line| writer.line(line))?;
                        after = page.next;
                        if after.is_none() {
                            break;
                        }
                    }
                }
            }
            writer.finish().map(Some)
        })
    }

    /// Writes books as a journal for hledger or beancount (docs/export.md): one transaction for each entry that moved
    /// money, dated in the host's time zone, and at the end what the store has in each account, for the tool to verify.
    /// The journals are read twice, by page.
    ///
    /// Blocks. What is due is settled first.
    pub fn export_accounting(
        &self,
        format: Format,
        which: Which,
        out: &mut dyn Write,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<AccountingReport, ExportError> {
        self.guarded(|inner| {
            let zone = inner.settings.time_zone;
            let mut plans: Vec<Plan> = Vec::new();
            let mut entries = 0_u64;
            each_book(&*inner.store, which, |merchant, _| {
                inner.settled(merchant, &Needs::default())?;
                let books = u64::try_from(plans.len()).unwrap_or(u64::MAX);
                let found = plan(&*inner.store, zone, merchant, |read| {
                    entries = entries.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
                    progress(Progress { stage: Stage::Reading, books, entries });
                })?;
                plans.push(found);
                Ok(())
            })?;
            write_accounting(&*inner.store, zone, format, &plans, out, progress)
        })
    }

    /// A panic in the store, or in what the host gave, is an error and no thread's end.
    fn guarded<T, E: From<crate::error::Error>>(&self, run: impl FnOnce(&Inner) -> Result<T, E>) -> Result<T, E> {
        let ran = catch_unwind(AssertUnwindSafe(|| run(&self.inner)));
        ran.unwrap_or_else(|panic| Err(internal(&*panic).into()))
    }
}
