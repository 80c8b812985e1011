# PLS path models written down from Sanchez (2013), PLS Path Modeling with R (the algorithm of R's
# plspm, scaled = TRUE and FALSE), and the fit of the implied correlations from Dijkstra & Henseler
# (2015), Computational Statistics and Data Analysis 81, 10-23, and Henseler et al. (2014).
# Rscript tests/reference/pls.R MOBI.csv tests/reference, with base R and survey.
# Works on rows, as plspm does (divisor n), and not on a matrix of correlations.
options(digits = 15)
args <- commandArgs(trailingOnly = TRUE)
mobi <- read.csv(args[1])
out <- if (length(args) > 1) args[2] else "."

items <- function(name, k) paste0(name, seq_len(k))
blocks <- list(Image = items("IMAG", 5), Expectation = items("CUEX", 3), Quality = items("PERQ", 7),
               Value = items("PERV", 2), Satisfaction = items("CUSA", 3), Complaints = "CUSCO",
               Loyalty = items("CUSL", 3))
causes <- list(Expectation = "Image", Quality = "Expectation", Value = c("Expectation", "Quality"),
               Satisfaction = c("Image", "Expectation", "Quality", "Value"),
               Complaints = "Satisfaction", Loyalty = c("Image", "Satisfaction", "Complaints"))
constructs <- names(blocks)
J <- length(blocks)
inner <- matrix(0, J, J, dimnames = list(constructs, constructs))
for (y in names(causes)) inner[y, causes[[y]]] <- 1
adjacent <- inner + t(inner)

population_sd <- function(x, w) sqrt(sum(w * (x - sum(w * x))^2))

# Rows count with the weights w (their sum is 1); 1 / n each in plspm.
fit_pls <- function(data, modes, scheme, scaled, w = rep(1 / nrow(data), nrow(data))) {
  X <- as.matrix(data[unlist(blocks)])
  X <- sweep(X, 2, colSums(w * X))
  if (scaled) X <- sweep(X, 2, apply(X, 2, population_sd, w), "/")
  weights <- lapply(blocks, function(b) rep(1, length(b)))
  scores <- function(weights) {
    Y <- sapply(constructs, function(j) X[, blocks[[j]], drop = FALSE] %*% weights[[j]])
    sweep(Y, 2, apply(Y, 2, population_sd, w), "/")
  }
  covariance <- function(a, b) crossprod(a * w, b)
  for (round in 1:10000) {
    Y <- scores(weights)
    R <- covariance(Y, Y)
    E <- switch(scheme, centroid = sign(R) * adjacent, factorial = R * adjacent, path = {
      E <- matrix(0, J, J, dimnames = dimnames(inner))
      for (y in constructs) {
        effects <- constructs[inner[, y] == 1]
        E[effects, y] <- R[effects, y]
        if (!is.null(causes[[y]]))
          E[causes[[y]], y] <- solve(R[causes[[y]], causes[[y]]], R[causes[[y]], y])
      }
      E
    })
    Z <- Y %*% E
    fresh <- lapply(constructs, function(j) {
      x <- X[, blocks[[j]], drop = FALSE]
      if (modes[[j]] == "B") solve(covariance(x, x), covariance(x, Z[, j])) else covariance(x, Z[, j])
    })
    names(fresh) <- constructs
    fresh <- lapply(constructs, function(j)
      as.numeric(fresh[[j]] / population_sd(X[, blocks[[j]], drop = FALSE] %*% fresh[[j]], w)))
    names(fresh) <- constructs
    change <- sum(abs(unlist(fresh) - unlist(weights)))
    weights <- fresh
    if (change < 1e-13) break
  }
  stopifnot(change < 1e-11)
  Y <- scores(weights)
  for (j in constructs) if (sum(covariance(scale(X[, blocks[[j]], drop = FALSE]), Y[, j])) < 0) {
    Y[, j] <- -Y[, j]
    weights[[j]] <- -weights[[j]]
  }
  sd <- apply(X, 2, population_sd, w)
  list(weights = weights, X = X, sd = sd, S = covariance(X, X), w = w, modes = modes,
       corr = covariance(Y, Y), cross = covariance(sweep(X, 2, sd, "/"), Y),
       R = covariance(sweep(X, 2, sd, "/"), sweep(X, 2, sd, "/")))
}

# Dijkstra & Henseler (2015), MISQ, eq. 3: in the metric of the weights.
rho_a <- function(fit, j) {
  v <- fit$weights[[j]]
  S <- fit$S[blocks[[j]], blocks[[j]]]
  off <- function(m) m - diag(diag(m))
  as.numeric(sum(v^2)^2 * (t(v) %*% off(S) %*% v) / (t(v) %*% off(v %*% t(v)) %*% v))
}

finish <- function(fit, consistent) {
  reflective <- sapply(constructs, function(j) fit$modes[[j]] == "A" && length(blocks[[j]]) > 1)
  fit$rho <- sapply(constructs, function(j) if (reflective[j]) rho_a(fit, j) else NA)
  fit$loadings <- unlist(lapply(constructs, function(j) fit$cross[blocks[[j]], j]))
  names(fit$loadings) <- unlist(blocks)
  fit$factors <- consistent & reflective
  if (consistent) {
    q <- sqrt(ifelse(reflective, fit$rho, 1))
    fit$corr <- fit$corr / outer(q, q)
    diag(fit$corr) <- 1
    for (j in constructs[reflective]) {
      v <- fit$weights[[j]]
      fit$loadings[blocks[[j]]] <- v * q[j] / sum(v^2) / fit$sd[blocks[[j]]]
    }
  }
  B <- inner * 0
  fit$r2 <- sapply(names(causes), function(y) {
    b <- solve(fit$corr[causes[[y]], causes[[y]]], fit$corr[causes[[y]], y])
    B[y, causes[[y]]] <<- b
    sum(b * fit$corr[causes[[y]], y])
  })
  fit$B <- B
  fit
}

# Correlations of the items under the model: of blocks with each other l r l', within a block of
# composites as observed, within one of a common factor l l' with ones on the diagonal.
implied <- function(fit, saturated) {
  phi <- fit$corr
  if (!saturated) {
    for (y in names(causes)) {  # in causal order; constructs that stand before y
      before <- constructs[seq_len(match(y, constructs) - 1)]
      phi[y, before] <- phi[before, y] <- fit$B[y, before] %*% phi[before, before]
    }
  }
  home <- rep(constructs, lengths(blocks))
  Sigma <- phi[home, home] * outer(fit$loadings, fit$loadings)
  dimnames(Sigma) <- dimnames(fit$R)
  for (j in constructs) if (!fit$factors[j]) Sigma[blocks[[j]], blocks[[j]]] <- fit$R[blocks[[j]], blocks[[j]]]
  diag(Sigma) <- 1
  Sigma
}
indices <- function(fit, saturated) {
  Sigma <- implied(fit, saturated)
  D <- fit$R - Sigma
  p <- nrow(D)
  c(srmr = sqrt(sum(D[lower.tri(D, diag = TRUE)]^2) / (p * (p + 1) / 2)), d_uls = sum(D^2) / 2,
    d_g = sum(log(Re(eigen(solve(fit$R) %*% Sigma)$values))^2) / 2)
}

all_a <- setNames(as.list(rep("A", J)), constructs)
mixed <- all_a
mixed$Quality <- mixed$Expectation <- "B"
sampling_weights <- 1 + seq_len(nrow(mobi)) %% 4
cluster <- ceiling(seq_len(nrow(mobi)) / 5)
strata <- cluster %% 2
cases <- list(
  list("unscaled_path", mobi, all_a, "path", FALSE, FALSE),
  list("unscaled_centroid", mobi, all_a, "centroid", FALSE, FALSE),
  list("unscaled_factorial", mobi, all_a, "factorial", FALSE, FALSE),
  list("unscaled_mixed", mobi, mixed, "path", FALSE, FALSE),
  list("unscaled_consistent", mobi, all_a, "path", FALSE, TRUE),
  list("scaled_path", mobi, all_a, "path", TRUE, FALSE),
  list("scaled_mixed", mobi, mixed, "path", TRUE, FALSE),
  list("scaled_consistent", mobi, all_a, "path", TRUE, TRUE),
  list("weighted_path", mobi, all_a, "path", TRUE, FALSE),
  list("weighted_consistent", mobi, all_a, "path", TRUE, TRUE)
)
rows <- list()
add <- function(case, kind, lhs, rhs, value) {
  rows[[length(rows) + 1]] <<- data.frame(case = case, kind = kind, lhs = lhs, rhs = rhs,
                                          value = as.numeric(value))
}
for (case in cases) {
  w <- if (startsWith(case[[1]], "weighted")) sampling_weights else rep(1, nrow(mobi))
  fit <- finish(fit_pls(case[[2]], case[[3]], case[[4]], case[[5]], w / sum(w)), case[[6]])
  home <- rep(constructs, lengths(blocks))
  add(case[[1]], "weight", home, unlist(blocks), unlist(fit$weights))
  add(case[[1]], "loading", home, unlist(blocks), fit$loadings)
  for (y in names(causes)) add(case[[1]], "path", y, causes[[y]], fit$B[y, causes[[y]]])
  add(case[[1]], "r_squared", names(causes), "", fit$r2)
  reflective <- !is.na(fit$rho)
  add(case[[1]], "rho_a", constructs[reflective], "", fit$rho[reflective])
  ave <- sapply(constructs[reflective], function(j) mean(fit$loadings[blocks[[j]]]^2))
  add(case[[1]], "ave", constructs[reflective], "", ave)
  for (model in c("saturated", "estimated")) {
    found <- indices(fit, model == "saturated")
    add(case[[1]], "fit", model, names(found), found)
  }
}
# The path of a model of two items is their correlation: its error by the delta method from the
# moments whose covariance survey gives; and of a single predictor, the slope of svyglm among
# standardised items, whose standard deviations are then taken as known.
library(survey)
designs <- list(
  weights = svydesign(ids = ~1, weights = ~w, data = cbind(mobi, w = sampling_weights)),
  cluster = svydesign(ids = ~g, weights = ~w, data = cbind(mobi, w = 1, g = cluster)),
  all = svydesign(ids = ~g, strata = ~h, weights = ~w,
                  data = cbind(mobi, w = sampling_weights, g = cluster, h = strata))
)
for (name in names(designs)) {
  d <- designs[[name]]
  d <- update(d, xy = IMAG1 * CUSA1, xx = IMAG1^2, yy = CUSA1^2)
  m <- svymean(~IMAG1 + CUSA1 + xx + yy + xy, d)
  r <- svycontrast(m, quote((xy - IMAG1 * CUSA1) / sqrt((xx - IMAG1^2) * (yy - CUSA1^2))))
  add(name, "correlation", "estimate", "", coef(r))
  add(name, "correlation", "se", "", SE(r))
  e <- coef(m)
  d <- update(d, x = (IMAG1 - e["IMAG1"]) / sqrt(e["xx"] - e["IMAG1"]^2),
              y = (CUSA1 - e["CUSA1"]) / sqrt(e["yy"] - e["CUSA1"]^2))
  g <- svyglm(y ~ x, d)
  add(name, "svyglm", "estimate", "", coef(g)["x"])
}
write.csv(do.call(rbind, rows), file.path(out, "pls.csv"), row.names = FALSE, quote = FALSE)
