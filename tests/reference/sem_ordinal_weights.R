# Ordered answers with sampling weights (R 4.2.2, lavaan 0.6-14).
#
#   Rscript sem_ordinal_weights.R
#
# Items x1 to x9 of sem_design_data.csv in categories by sem_ordinal_cuts.csv, weights scaled to a mean of 1; one
# group, and school with equal thresholds and loadings. Point: lavaan's own (to about 1e-6), polychoric correlations
# by lavaan's own search (to about 1e-7).
# sem_ordinal_weights.csv    est, se of estimated parameters; `index` rows are fitMeasures()
suppressPackageStartupMessages(suppressMessages(library(lavaan)))
here <- dirname(normalizePath(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1])))
d <- read.csv(file.path(here, "sem_design_data.csv")); cuts <- read.csv(file.path(here, "sem_ordinal_cuts.csv"))
for (i in seq_len(nrow(cuts))) d[[cuts$variable[i]]] <- findInterval(d[[cuts$variable[i]]], unlist(cuts[i, -1])) + 1L
model <- "visual =~ x1 + x2 + x3\n textual =~ x4 + x5 + x6\n speed =~ x7 + x8 + x9"
out <- NULL
for (case in c("one", "groups")) {
  o <- list(model = model, data = d, ordered = TRUE, sampling.weights = "weight")
  if (case == "groups") o <- c(o, list(group = "school", group.equal = c("thresholds", "loadings")))
  f <- suppressWarnings(do.call("cfa", o)); stopifnot(lavInspect(f, "converged"))
  e <- parameterEstimates(f, remove.eq = FALSE); e <- e[e$se > 0 & e$op != "==", ]
  out <- rbind(out, data.frame(case = case, lhs = e$lhs, op = e$op, rhs = e$rhs, group = if (is.null(e$group)) 1 else e$group,
                               est = sprintf("%.15g", e$est), se = sprintf("%.15g", e$se)))
  v <- unclass(fitMeasures(f, c("chisq", "df", "chisq.scaled", "chisq.scaling.factor")))
  out <- rbind(out, data.frame(case = case, lhs = "index", op = "", rhs = names(v), group = 0, est = sprintf("%.15g", v), se = ""))
}
write.csv(out, file.path(here, "sem_ordinal_weights.csv"), row.names = FALSE, quote = FALSE)
