# lavaan's side of bootstrap.py: processor milliseconds of one resample, and of one fit with errors,
# indices and standardised values. Each line of the input asks for one measurement:
#
#   DATA.csv MODEL.lav resample COUNT
#   DATA.csv MODEL.lav fit COUNT
suppressPackageStartupMessages(suppressMessages(library(lavaan)))
spent <- function(call) {
  cpu <- proc.time()
  suppressWarnings(call())
  sum((proc.time() - cpu)[c("user.self", "sys.self")]) * 1000
}
complete <- function(text, data) {
  fit <- sem(text, data)
  list(parameterEstimates(fit), fitMeasures(fit), standardizedSolution(fit))
}
input <- file("stdin", open = "r")
while (length(line <- readLines(input, n = 1)) > 0) {
  task <- strsplit(line, " ")[[1]]
  data <- read.csv(task[1]); text <- readLines(task[2], warn = FALSE); count <- as.integer(task[4])
  if (task[3] == "resample") {
    fit <- suppressWarnings(sem(text, data))
    used <- spent(function() bootstrapLavaan(fit, R = count))
  } else {
    used <- spent(function() for (i in seq_len(count)) complete(text, data))
  }
  cat(used / count, "\n")
  flush(stdout())
}
