# lavaan's side of bench_sem.py: its timings, and its refits of the same resamples.
#
#   Rscript bench_sem.R FOLDER REPEATS BOOTSTRAPS RESAMPLES
#
# FOLDER holds data.csv, one NAME.lav per model and indices.csv (a resample per row, cases from 1).
# Written there: versions.txt, times.csv, counts.csv, and per model NAME_free.csv (free parameters),
# NAME_start.csv and NAME_fresh.csv (refits of the rows of indices.csv: converged, F, estimates).
suppressPackageStartupMessages(suppressMessages(library(lavaan)))
args <- commandArgs(TRUE)
if (length(args) != 4) stop("usage: Rscript bench_sem.R FOLDER REPEATS BOOTSTRAPS RESAMPLES")
folder <- args[1]; repeats <- as.integer(args[2])
bootstraps <- as.integer(args[3]); resamples <- as.integer(args[4])
at <- function(name) file.path(folder, name)
data <- read.csv(at("data.csv"))
indices <- as.matrix(read.csv(at("indices.csv"), header = FALSE))
stopifnot(nrow(indices) == resamples, ncol(indices) == nrow(data))
blas <- basename(extSoftVersion()[["BLAS"]])
writeLines(sprintf("%s, lavaan %s, %s", R.version.string, packageVersion("lavaan"), blas), at("versions.txt"))

times <- NULL
timed <- function(model, what, call, repeats) {
  for (i in seq_len(repeats)) {
    cpu <- proc.time(); wall <- as.numeric(Sys.time())
    out <- suppressWarnings(call())
    wall <- as.numeric(Sys.time()) - wall; cpu <- sum((proc.time() - cpu)[c("user.self", "sys.self")])
    times <<- rbind(times, data.frame(model = model, what = what, wall = wall, cpu = cpu))
  }
  out
}

# What bootstrapLavaan turns off before it refits. With "start" a refit begins at the solution of
# the sample and has one attempt, as there; with "fresh" it begins as sem() does, with its four.
lean <- list(se = "none", test = "none", baseline = FALSE, h1 = FALSE, loglik = FALSE,
             implied = FALSE, store.vcov = FALSE, check.start = FALSE, check.post = FALSE)
refit <- function(text, rows, start = NULL) {
  own <- if (is.null(start)) list() else list(start = start, optim.attempts = 1L)
  fit <- try(suppressWarnings(do.call("sem", c(list(text, data[rows, ]), lean, own))), silent = TRUE)
  if (inherits(fit, "try-error")) return(NULL)
  fit
}

counts <- NULL
for (name in sub("[.]lav$", "", list.files(folder, "[.]lav$"))) {
  text <- paste(readLines(at(paste0(name, ".lav"))), collapse = "\n")
  all_of_it <- function() {
    fit <- sem(text, data)
    list(parameterEstimates(fit), fitMeasures(fit), standardizedSolution(fit))
  }
  fit <- sem(text, data); invisible(all_of_it())  # warm
  timed(name, "sem", function() sem(text, data), repeats)
  timed(name, "complete", all_of_it, repeats)
  drawn <- timed(name, "bootstrap", function()
    bootstrapLavaan(fit, R = resamples, type = "ordinary", FUN = "coef", iseed = 1), bootstraps)
  stopifnot(nrow(drawn) == resamples, sum(is.na(drawn[, 1])) == length(attr(drawn, "error.idx")))
  counts <- rbind(counts, data.frame(
    model = name, chisq = fitMeasures(fit, "chisq"), iterations = lavInspect(fit, "iterations"),
    failed = length(attr(drawn, "error.idx")), improper = length(attr(drawn, "nonadmissible"))))

  free <- parTable(fit)[parTable(fit)$free > 0, c("lhs", "op", "rhs")]
  write.csv(free, at(paste0(name, "_free.csv")), row.names = FALSE)
  for (way in c("start", "fresh")) {
    found <- t(apply(indices, 1, function(rows) {
      again <- refit(text, rows, if (way == "start") fit)
      if (is.null(again)) return(c(FALSE, NA, rep(NA, nrow(free))))
      table <- parTable(again)
      c(lavInspect(again, "converged"), 2 * lavInspect(again, "optim")$fx, table$est[table$free > 0])
    }))
    write.table(format(found, digits = 15), at(sprintf("%s_%s.csv", name, way)), sep = ",",
                quote = FALSE, row.names = FALSE, col.names = FALSE)
  }
}
write.csv(times, at("times.csv"), row.names = FALSE)
write.csv(counts, at("counts.csv"), row.names = FALSE)
