# Kendall's W by way of Friedman's test, for rankings of several judges.
# executives and similarity: rankings printed in Siegel & Castellan (1988), Nonparametric statistics
# for the behavioral sciences, 9.7 (W = .16 and, with ties, W = .828 in print).
# Run: Rscript tests/reference/concordance.R > tests/reference/concordance.csv
rankings <- list(
  executives = rbind(c(1, 6, 3, 2, 5, 4), c(1, 5, 6, 4, 2, 3), c(6, 3, 2, 5, 4, 1)),
  similarity = rbind(
    c(1, 4.5, 2, 4.5, 3, 7.5, 6, 9, 7.5, 10),
    c(2.5, 1, 2.5, 4.5, 4.5, 8, 9, 6.5, 10, 6.5),
    c(2, 1, 4.5, 4.5, 4.5, 4.5, 8, 8, 8, 10)
  )
)
set.seed(1)
rankings$scores <- matrix(sample(1:5, 7 * 9, replace = TRUE), 7)
cat("case,measure,value\n")
for (name in names(rankings)) {
  x <- rankings[[name]]
  test <- friedman.test(x)
  w <- unname(test$statistic) / (nrow(x) * (ncol(x) - 1))
  values <- c(W = w, chi2 = unname(test$statistic), p_value = test$p.value)
  for (m in names(values)) cat(sprintf("%s,%s,%.15g\n", name, m, values[[m]]))
  for (i in seq_len(nrow(x))) for (j in seq_len(ncol(x)))
    cat(sprintf("%s,x_%d_%d,%.15g\n", name, i, j, x[i, j]))
}
