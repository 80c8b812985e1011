# Bootstrap replicates of incomplete answers, refitted by lavaan (R 4.2.2, lavaan 0.6-14).
#
#   python sem_bootstrap_counts.py; Rscript sem_bootstrap.R
#
# sem_bootstrap_counts.csv  how often each row of sem_design_data.csv is drawn: the resamples of cxstats'
#                           generator, seed 1, written by sem_bootstrap_counts.py
# sem_bootstrap.csv         estimates by FIML of the repeated rows (x4, x6, x9 are the columns gap_*);
#                           polished by Newton steps, gradient below 1e-10
suppressPackageStartupMessages(suppressMessages(library(lavaan)))
here <- dirname(normalizePath(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1])))
d <- read.csv(file.path(here, "sem_design_data.csv")); counts <- read.csv(file.path(here, "sem_bootstrap_counts.csv"))
for (v in c("x4", "x6", "x9")) d[[v]] <- d[[paste0("gap_", v)]]
models <- c(factors = "visual =~ x1 + x2 + x3\n textual =~ x4 + x5 + x6\n speed =~ x7 + x8 + x9",
            mediation = "x6 ~ a*x1\n x4 ~ b*x6 + c*x1\n ab := a*b")
hidden <- function(name) getFromNamespace(name, "lavaan")
newton <- function(fit) {
  x <- fit@optim$x; H <- NULL
  for (i in 1:40) {
    at <- hidden("lav_model_set_parameters")(fit@Model, x = x)
    g <- hidden("lav_model_gradient")(at, lavsamplestats = fit@SampleStats, lavdata = fit@Data)
    if (is.null(H)) H <- hidden("lav_model_hessian")(at, fit@SampleStats, fit@Data, fit@Options, h = 2e-4)
    step <- -solve(H, g); x <- x + step
    if (max(abs(step)) < 1e-12) break
  }
  stopifnot(max(abs(g)) < 1e-10)
  x
}
out <- NULL
for (m in names(models)) for (b in names(counts)) {
  f <- sem(models[m], d[rep(seq_len(nrow(d)), counts[[b]]), ], missing = "ml", fixed.x = FALSE, se = "none", test = "none", baseline = FALSE)
  e <- parTable(f); e$est[e$free > 0] <- newton(f)
  defined <- e$op == ":="; stopifnot(sum(defined) <= 1)
  e$est[defined] <- e$est[match("a", e$label)] * e$est[match("b", e$label)]
  out <- rbind(out, data.frame(model = m, resample = b, lhs = e$lhs, op = e$op, rhs = e$rhs, est = sprintf("%.15g", e$est)))
}
write.csv(out, file.path(here, "sem_bootstrap.csv"), row.names = FALSE, quote = FALSE)
