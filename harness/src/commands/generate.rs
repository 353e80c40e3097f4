//! `generate`: samples text from a fitted model of a task of characters, one character after another.

use std::io::{self, Write, stdout};
use std::path::PathBuf;

use bakeoff_datasets::{Alphabet, Inputs, Text};
use bakeoff_models::{Device, Model, Predictions, TargetShape, Threads, inspect, unknown_name};
use bakeoff_reports::FittedTask;
use clap::Args;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::{Exit, of_reading};
use crate::program::Program;
use crate::usage::usage;

/// The temperature at which characters come as often as the model says.
const AS_THE_MODEL_SAYS: f64 = 1.0;

#[derive(Debug, Args)]
pub(super) struct GenerateArguments {
    /// The folder of a fitted model of a task of characters, such as models/<case>/ of a run with --keep-models
    artefact: PathBuf,
    /// How the text begins; an empty prompt begins a sentence
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    prompt: String,
    /// How many characters to add to the prompt
    #[arg(long, value_name = "N", default_value_t = 200)]
    length: usize,
    /// 0 takes the most probable character each time, 1 takes each as often as the model says, and more makes rare ones more
    /// frequent [default: 1, or 0 for a model without probabilities]
    #[arg(long, value_name = "T", value_parser = temperature, allow_negative_numbers = true)]
    temperature: Option<f64>,
    /// The same seed gives the same text
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
}

fn temperature(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(found @ 0.0..) if f64::is_finite(found) => Ok(found),
        _ => Err("expected a number from 0 on".to_owned()),
    }
}

pub(super) fn run(program: &Program, arguments: &GenerateArguments) -> anyhow::Result<Exit> {
    let place = arguments.artefact.display();
    let found = inspect(&arguments.artefact).map_err(usage)?;
    // A model of an older run does not say which task it has learned.
    let fitted_on = FittedTask::read(&arguments.artefact).map_err(of_reading)?.map(|fitted| fitted.task);
    let Some(alphabet) = found.shape.characters else {
        let known = program.tasks.iter().filter(|task| task.characters().is_some()).map(|task| task.name());
        let known = known.collect::<Vec<_>>().join(", ");
        let of = fitted_on.map_or_else(String::new, |task| format!(" but on '{}'", task.name));
        return Err(usage(format!(
            "{place}: this model was not fitted on a task of characters{of}, so it has no next character to give; give a model \
             fitted on {known}"
        )));
    };
    let is_of_alphabet = match &fitted_on {
        Some(task) => *task.classes == *alphabet.class_names(),
        None => found.shape.target == TargetShape::Classes(alphabet.len()),
    };
    if !is_of_alphabet {
        return Err(usage(format!(
            "{place}: the classes of this model are not the {} characters of the alphabet that this bakeoff has: fit the model again",
            alphabet.len()
        )));
    }
    check_prompt(&arguments.prompt, alphabet).map_err(usage)?;
    let entry = program.model(&found.model).ok_or_else(|| {
        let known: Vec<&str> = program.models.iter().map(|model| model.name()).collect();
        usage(format!("{place}: {}", unknown_name("model", &found.model, &known)))
    })?;
    let threads = Threads::new(std::thread::available_parallelism().map_or(1, usize::from));
    let mut model = entry.load(&arguments.artefact, threads, Device::Cpu).map_err(usage)?;
    let GenerateArguments { prompt, length, temperature, seed, .. } = arguments;
    let writer = Writer { alphabet, temperature: *temperature, random: ChaCha8Rng::seed_from_u64(*seed) };
    writer.write(model.as_mut(), prompt, *length, &mut stdout().lock())?;
    Ok(Exit::Ok)
}

/// Refuses a prompt with a character that the model has never seen.
fn check_prompt(prompt: &str, alphabet: Alphabet) -> Result<(), String> {
    let Some((at, character)) = (1..).zip(prompt.chars()).find(|(_, character)| alphabet.number(*character).is_none())
    else {
        return Ok(());
    };
    let known: String = alphabet.characters().filter(|character| !character.is_whitespace()).collect();
    let smaller = character.to_lowercase().all(|small| alphabet.number(small).is_some());
    let hint = if smaller && character.is_uppercase() { "; write it in lower case" } else { "" };
    Err(format!(
        "character {at} of the prompt is {character:?}, which is not among the characters of this model{hint}: it knows the \
         newline, the space and {known}"
    ))
}

/// Chooses characters and writes them.
struct Writer {
    alphabet: Alphabet,
    /// See [`GenerateArguments::temperature`]; `None` if the user wrote none.
    temperature: Option<f64>,
    random: ChaCha8Rng,
}

impl Writer {
    /// Writes the prompt and `length` characters after it, each as soon as it is chosen, and a newline at the end.
    fn write(mut self, model: &mut dyn Model, prompt: &str, length: usize, out: &mut impl Write) -> anyhow::Result<()> {
        let mut text = prompt.to_owned();
        // Before anything is written, because the model may be refused.
        let mut chosen = if length > 0 { Some(self.next(model, &text)?) } else { None };
        out.write_all(prompt.as_bytes())?;
        out.flush()?;
        for left in (0..length).rev() {
            let Some(next) = chosen else { break };
            text.push(next);
            let mut bytes = [0; 4];
            out.write_all(next.encode_utf8(&mut bytes).as_bytes())?;
            // A reader sees each character at once; and if it has gone, the work ends here.
            out.flush()?;
            chosen = if left > 0 { Some(self.next(model, &text)?) } else { None };
        }
        if !text.ends_with('\n') {
            writeln!(out)?;
        }
        Ok(out.flush()?)
    }

    /// The character after `text`.
    fn next(&mut self, model: &mut dyn Model, text: &str) -> anyhow::Result<char> {
        let context = Text { first: self.alphabet.context(text), second: None };
        let Predictions::Classes { labels, probabilities } = model.predict(&Inputs::Texts(vec![context]))? else {
            anyhow::bail!("the model predicted a number where its task has classes");
        };
        let number = match (probabilities, self.temperature) {
            (Some(matrix), temperature) => {
                let temperature = temperature.unwrap_or(AS_THE_MODEL_SAYS);
                // The upper 53 bits, as many as a number from 0 to 1 has.
                let share = (self.random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
                chosen(matrix.row(0), temperature, share)
            }
            (None, Some(temperature)) if temperature > 0.0 => {
                return Err(usage(
                    "this model gives no probabilities, so it can only say which character is the most probable: use \
                     --temperature 0",
                ));
            }
            (None, written) => {
                if written.is_none() {
                    self.temperature = Some(0.0);
                    // The text matters more than a standard error that is closed.
                    let _ = writeln!(
                        io::stderr(),
                        "note: this model gives no probabilities, so each character is the most probable one"
                    );
                }
                labels.first().map(|&label| usize::from(label))
            }
        };
        let character = number.and_then(|number| self.alphabet.characters().nth(number));
        character.ok_or_else(|| anyhow::anyhow!("the model predicted no character of its alphabet"))
    }
}

/// The class at `share`, from 0 to 1, of the distribution of `probabilities` to the power of 1 / `temperature`, which is made to
/// sum to 1. At temperature 0 it is the most probable class, the first of equal ones. `None` if no class has a probability.
fn chosen(probabilities: &[f32], temperature: f64, share: f64) -> Option<usize> {
    let probabilities = probabilities.iter().map(|&probability| f64::from(probability));
    let (best, largest) =
        probabilities.clone().enumerate().fold((0, 0.0), |best, next| if next.1 > best.1 { next } else { best });
    if largest <= 0.0 || temperature == 0.0 {
        return (largest > 0.0).then_some(best);
    }
    let weights: Vec<f64> =
        probabilities.map(|probability| ((probability / largest).ln() / temperature).exp()).collect();
    let mut rest = share * weights.iter().sum::<f64>();
    for (class, weight) in weights.iter().enumerate() {
        rest -= weight;
        if rest < 0.0 {
            return Some(class);
        }
    }
    // Rounding can leave a little.
    weights.iter().rposition(|&weight| weight > 0.0)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::path::Path;

    use bakeoff_datasets::Split;
    use bakeoff_models::{Footprint, Matrix, ModelError, Watch};

    use super::*;

    /// After the letter `a` comes `b` or `c`, `b` three times as often; after anything else comes `a`.
    struct Letters {
        gives_probabilities: bool,
        /// The contexts that it was asked for.
        asked: Vec<String>,
    }

    impl Model for Letters {
        fn fit(&mut self, _: &Split, _: &Split, _: &mut dyn Watch) -> Result<(), ModelError> {
            Ok(())
        }

        fn predict(&mut self, inputs: &Inputs) -> Result<Predictions, ModelError> {
            let Inputs::Texts(texts) = inputs else { panic!("asked for texts") };
            let text = &texts[0].first;
            self.asked.push(text.clone());
            let number = |character| usize::from(Alphabet::Sst2.number(character).unwrap());
            let mut data = vec![0.0; Alphabet::Sst2.len()];
            if text.ends_with('a') {
                (data[number('b')], data[number('c')]) = (0.75, 0.25);
            } else {
                data[number('a')] = 1.0;
            }
            let label = if text.ends_with('a') { 'b' } else { 'a' };
            let matrix = Matrix { rows: 1, cols: data.len(), data };
            let probabilities = self.gives_probabilities.then_some(matrix);
            Ok(Predictions::Classes { labels: vec![Alphabet::Sst2.number(label).unwrap()], probabilities })
        }

        fn save(&self, _: &Path) -> Result<(), ModelError> {
            Ok(())
        }

        fn footprint(&self) -> Footprint {
            Footprint::default()
        }
    }

    fn text(gives_probabilities: bool, temperature: Option<f64>, seed: u64, prompt: &str) -> anyhow::Result<String> {
        let mut model = Letters { gives_probabilities, asked: Vec::new() };
        let writer = Writer { alphabet: Alphabet::Sst2, temperature, random: ChaCha8Rng::seed_from_u64(seed) };
        let mut out = Vec::new();
        writer.write(&mut model, prompt, 40, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn the_same_seed_gives_the_same_text_and_another_seed_another() {
        let of_seed = |seed| text(true, None, seed, "").unwrap();
        assert_eq!(of_seed(1), of_seed(1));
        assert_ne!(of_seed(1), of_seed(2));
        assert_eq!(of_seed(1).chars().count(), 41, "the length, and a newline at the end");
        assert!(of_seed(1).contains('b') && of_seed(1).contains('c'));
    }

    #[test]
    fn at_temperature_zero_each_character_is_the_most_probable() {
        assert_eq!(text(true, Some(0.0), 1, "so a").unwrap(), format!("so a{}\n", "ba".repeat(20)));
        assert_eq!(text(false, Some(0.0), 1, "so a").unwrap(), text(true, Some(0.0), 2, "so a").unwrap());
    }

    #[test]
    fn a_model_without_probabilities_gives_its_answers_unless_it_is_to_be_sampled() {
        assert_eq!(text(false, None, 1, "").unwrap(), text(true, Some(0.0), 1, "").unwrap());
        let error = text(false, Some(0.5), 1, "").unwrap_err().to_string();
        assert!(error.contains("no probabilities") && error.contains("--temperature 0"), "{error}");
    }

    #[test]
    fn the_model_reads_what_rows_of_its_task_have() {
        let mut model = Letters { gives_probabilities: true, asked: Vec::new() };
        let random = ChaCha8Rng::seed_from_u64(1);
        let writer = Writer { alphabet: Alphabet::Sst2, temperature: Some(0.0), random };
        writer.write(&mut model, &format!("one\ntwo {}", "x".repeat(60)), 3, &mut Vec::new()).unwrap();
        assert_eq!(model.asked[0], format!("two {}", "x".repeat(60)));
        assert_eq!(model.asked[1], format!("wo {}a", "x".repeat(60)));
    }

    #[test]
    fn a_share_finds_its_class_and_temperature_sharpens_or_flattens() {
        let probabilities = [0.0, 0.5, 0.25, 0.25];
        let at = |temperature, share| chosen(&probabilities, temperature, share).unwrap();
        assert_eq!([0.0, 0.49, 0.51, 0.74, 0.76, 1.0].map(|share| at(1.0, share)), [1, 1, 2, 2, 3, 3]);
        assert_eq!([0.0, 0.5, 0.99].map(|share| at(0.0, share)), [1, 1, 1]);
        // To the power of 2, the shares are 2/3, 1/6 and 1/6; to that of 1e-9, they are nearly even.
        assert_eq!([0.66, 0.67, 0.84].map(|share| at(0.5, share)), [1, 2, 3]);
        assert_eq!([0.33, 0.34, 0.67].map(|share| at(1e9, share)), [1, 2, 3]);
        assert_eq!(at(1e-300, 0.9), 1);
        assert_eq!(chosen(&[0.0, 0.0], 1.0, 0.5), None);
    }

    #[test]
    fn a_prompt_with_another_character_is_refused_with_its_place_and_the_alphabet() {
        let check = |prompt: &str| check_prompt(prompt, Alphabet::Sst2);
        assert_eq!(check("it 's\n(fine) !"), Ok(()));
        let error = check("the café").unwrap_err();
        assert!(error.starts_with("character 8 of the prompt is 'é', which"), "{error}");
        assert!(error.contains("abcdefghijklmnopqrstuvwxyz") && error.contains("newline"), "{error}");
        let error = check("The").unwrap_err();
        assert!(error.starts_with("character 1 of the prompt is 'T'") && error.contains("lower case"), "{error}");
    }

    #[test]
    fn a_temperature_is_a_number_from_zero_on() {
        assert_eq!(temperature("0.7"), Ok(0.7));
        for text in ["-1", "NaN", "inf", "warm", ""] {
            assert!(temperature(text).is_err(), "{text}");
        }
    }
}
