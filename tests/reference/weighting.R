# Reference values for weights and their sensitivity. R 4.2.2, quadprog 1.5-8; no argument.
# AHP: base R's eigen. Entropy, CRITIC: written out in base R. Regression: lm on scaled variables.
# Swaps: uniroot on the lead (one weight changed, the others in proportion), quadprog (shortest
# change, weights not negative). Data: Saaty's (1990) house and (2008) drinks, Zavadskas & Podvezko
# (2016), Tus & Aytac Adali (2019), Triantaphyllou & Sanchez (1997), R's attitude.
library(quadprog)
out <- data.frame(case = character(), quantity = character(), name = character(), value = numeric())
add <- function(case, quantity, name, value)
  out <<- rbind(out, data.frame(case, quantity, name = as.character(name), value))

ahp <- function(case, a) {
  e <- eigen(a); top <- which.max(Re(e$values)); w <- Re(e$vectors[, top]); w <- w / sum(w)
  g <- exp(rowMeans(log(a))); g <- g / sum(g)
  add(case, "lambda", "", Re(e$values[top]))
  add(case, "weight", seq_along(w), w); add(case, "geometric", seq_along(w), g)
}
house <- matrix(c(
  1,5,3,7,6,6,1/3,1/4, 1/5,1,1/3,5,3,3,1/5,1/7, 1/3,3,1,6,3,4,6,1/5, 1/7,1/5,1/6,1,1/3,1/4,1/7,1/8,
  1/6,1/3,1/3,3,1,1/2,1/5,1/6, 1/6,1/3,1/4,4,2,1,1/5,1/6, 3,5,1/6,7,5,5,1,1/2, 4,7,5,8,6,6,2,1),
  8, byrow = TRUE)
drinks <- matrix(c(
  1,9,5,2,1,1,1/2, 1/9,1,1/3,1/9,1/9,1/9,1/9, 1/5,3,1,1/3,1/4,1/3,1/9, 1/2,9,3,1,1/2,1,1/3,
  1,9,4,2,1,2,1/2, 1,9,3,1,1/2,1,1/3, 2,9,9,3,2,3,1), 7, byrow = TRUE)
ahp("house", house); ahp("drinks", drinks)
# Harker: the matrix without the judgement neighbourhood to condition (3, 7)
h <- house; h[3, 7] <- h[7, 3] <- 0; h[3, 3] <- h[7, 7] <- 2
e <- eigen(h); v <- Re(e$vectors[, which.max(Re(e$values))])
add("house", "implied", "3-7", v[3] / v[7])

entropy <- function(case, x, cost) {
  for (j in which(cost)) x[, j] <- min(x[, j]) / x[, j]
  d <- apply(x, 2, function(v) { p <- v / sum(v); p <- p[p > 0]; 1 + sum(p * log(p)) / log(nrow(x)) })
  add(case, "entropy", seq_along(d), d / sum(d))
}
critic <- function(case, x, cost) {
  z <- apply(x, 2, function(v) (v - min(v)) / (max(v) - min(v)))
  z[, cost] <- 1 - z[, cost]
  info <- apply(z, 2, sd) * colSums(1 - cor(z))
  add(case, "critic", seq_along(info), info / sum(info))
}
zp <- matrix(c(3,100,10,7, 2.5,80,8,5, 1.8,50,20,11, 2.2,70,12,9), 4, byrow = TRUE)
ta <- matrix(c(5000,3,3,4,3,2, 680,5,3,2,2,1, 2000,3,2,3,4,3, 600,4,3,1,2,2, 800,2,4,3,3,4), 5, byrow = TRUE)
entropy("zavadskas", zp, rep(FALSE, 4)); entropy("zavadskas cost", zp, c(TRUE, FALSE, TRUE, FALSE))
critic("tus", ta, rep(FALSE, 6)); critic("tus cost", ta, c(TRUE, rep(FALSE, 5)))
critic("zavadskas cost", zp, c(TRUE, FALSE, TRUE, FALSE))

z <- as.data.frame(scale(attitude))
b <- coef(lm(rating ~ complaints + learning + raises, z))[-1]
add("attitude", "regression", names(b), b / sum(b))
b <- coef(lm(rating ~ complaints + learning + raises, attitude))[-1]
add("attitude", "regression raw", names(b), b / sum(b))

x <- matrix(c(.3088,.2897,.3867,.1922, .2163,.3458,.1755,.6288, .4509,.2473,.1194,.0575,
  .0240,.1172,.3184,.1215), 4, byrow = TRUE)
w <- c(.3277, .3058, .2876, .0789)
s <- drop(x %*% w)
for (i in 1:3) for (j in (i + 1):4) {
  d <- x[i, ] - x[j, ]; pair <- paste0("A", i, "-A", j)
  for (k in 1:4) {
    lead <- function(t) { u <- w * (1 - t) / (1 - w[k]); u[k] <- t; sum(u * d) }
    if (lead(0) * lead(1) < 0)
      add(pair, "single", k, uniroot(lead, c(0, 1), tol = 1e-14)$root)
    # Triantaphyllou & Sanchez's delta, before the weights are scaled again
    delta <- (s[j] - s[i]) / (x[j, k] - x[i, k])
    if (delta <= w[k]) add(pair, "delta", k, delta)
  }
  if (any(d < 0)) {
    q <- solve.QP(diag(4), w, cbind(rep(1, 4), d, diag(4)), c(1, 0, rep(0, 4)), meq = 2)
    add(pair, "distance", "", sqrt(sum((q$solution - w)^2)))
  }
}
out$value <- formatC(out$value, digits = 15, format = "g")
write.csv(out, "weighting.csv", row.names = FALSE, quote = FALSE)
