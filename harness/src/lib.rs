//! The instrument: suite -> plan -> case -> outcome -> record.
