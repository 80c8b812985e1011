# Cohen's kappa, unweighted and weighted, of psych (Revelle), with its interval. Run in this folder:
#   Rscript agreement.R > agreement.csv
# The first table is the one of psych's manual; the second is made up. psych gives 0 where it has no variance.
suppressMessages(library(psych))
tables <- list(
  three = matrix(c(53, 5, 2, 11, 14, 5, 1, 6, 3), 3),
  five = matrix(c(12, 3, 1, 0, 0, 4, 15, 5, 1, 0, 1, 6, 18, 4, 2, 0, 1, 5, 14, 3, 0, 0, 1, 4, 10), 5)
)
cat("table,weights,kappa,variance\n")
for (name in names(tables)) {
  x <- tables[[name]]
  k <- nrow(x)
  linear <- 1 - abs(outer(1:k, 1:k, "-")) / (k - 1)
  quadratic <- 1 - outer(1:k, 1:k, "-")^2 / (k - 1)^2
  plain <- cohen.kappa(x, n.obs = sum(x))
  cat(sprintf("%s,none,%.12f,%.12f\n", name, plain$kappa, plain$var.kappa))
  for (how in c("linear", "quadratic")) {
    fit <- cohen.kappa(x, w = get(how), n.obs = sum(x))
    cat(sprintf("%s,%s,%.12f,%.12f\n", name, how, fit$weighted.kappa, fit$var.weighted))
  }
}
