#![no_main]
use bakeoff_datasets::DATASETS;
use bakeoff_fuzz::written;

// Training rows, dev ids and test rows, with a zero byte in between.
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mrpc = DATASETS.iter().find(|dataset| dataset.id() == "glue/mrpc").expect("there is MRPC");
    let mut parts = data.splitn(3, |&byte| byte == 0);
    let train = written("mrpc/msr_paraphrase_train.txt", parts.next().unwrap_or_default());
    written("mrpc/mrpc_dev_ids.tsv", parts.next().unwrap_or_default());
    written("mrpc/msr_paraphrase_test.txt", parts.next().unwrap_or_default());
    let _ = mrpc.derive(train.parent().expect("it lies in a folder"));
});
