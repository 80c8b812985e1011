# Silhouettes, gap statistic and Gaussian mixtures of iris and faithful, ruspini.
# Run: Rscript tests/reference/segments.R (R with cluster and mclust, from the folder above tests)

suppressMessages({library(cluster); library(mclust)})
rows <- list()
add <- function(what, data, k, name, value)
  rows[[length(rows) + 1]] <<- data.frame(what, data, k, name, value = format(value, digits = 15))

x <- scale(as.matrix(iris[, 1:4]))
data(ruspini, package = "cluster")
r <- scale(as.matrix(ruspini))
best <- function(x, k) kmeans(x, k, nstart = 200, iter.max = 100)

best_quick <- function(x, k) if (k == 1) rep(1, nrow(x)) else
  kmeans(x, k, nstart = 10, iter.max = 100)$cluster

set.seed(1)
for (k in 2:5) {
  for (data in c("iris", "ruspini")) {
    points <- if (data == "iris") x else r
    fit <- best(points, k)
    widths <- silhouette(fit$cluster, dist(points))
    add("within_ss", data, k, "kmeans", fit$tot.withinss)
    add("silhouette", data, k, "kmeans", mean(widths[, "sil_width"]))
    each <- aggregate(widths[, "sil_width"], list(widths[, "cluster"]), mean)$x
    sizes <- as.vector(table(fit$cluster))
    each <- each[order(-sizes, -each)]
    for (j in seq_len(k)) add("silhouette_of", data, k, paste0("largest", j), each[j])
  }
}

# Squared distances, as in the paper; B large, so that the expectation is good to the third digit.
for (data in c("iris", "ruspini")) {
  points <- if (data == "iris") x else r
  for (space in c("original", "scaledPCA")) {
    set.seed(2)
    gap <- clusGap(points, function(x, k) list(cluster = best_quick(x, k)), K.max = 6, B = 500,
                   d.power = 2, spaceH0 = space, verbose = FALSE)$Tab
    for (k in 1:6) {
      add("gap", data, k, space, gap[k, "gap"])
      add("gap_se", data, k, space, gap[k, "SE.sim"])
    }
    for (rule in c("Tibs2001SEmax", "globalSEmax"))
      add("gap_k", data, maxSE(gap[, "gap"], gap[, "SE.sim"], rule), paste(space, rule), 0)
  }
}

models <- c(spherical = "VII", diag = "VVI", tied = "EEE", full = "VVV")
for (data in c("iris", "faithful")) {
  points <- if (data == "iris") x else scale(as.matrix(faithful))
  for (k in 1:3) for (shape in names(models)) {
    fit <- Mclust(points, k, models[[shape]], verbose = FALSE, control = emControl(tol = 1e-10))
    if (is.null(fit)) next
    add("loglik", data, k, shape, fit$loglik)
    add("bic", data, k, shape, -fit$bic)  # mclust's sign is the other one
  }
}

set.seed(3)
for (k in 2:4) {
  a <- best(x, k)$cluster
  add("adjusted_rand", "iris", k, "species", adjustedRandIndex(a, iris$Species))
}
write.csv(do.call(rbind, rows), file.path("tests", "reference", "segments.csv"), row.names = FALSE,
          quote = FALSE)
