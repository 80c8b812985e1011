# Reference values for the Kano analysis (R 4.2.2, stats only).
#
#   Rscript kano.R          no argument; writes kano.csv beside this script
#
# Counts M, O, A, I, R, Q of n = 296 as printed in the README of the R package stp25kano
# (github.com/stp4/stp25kano, 2024-05-11).
#
# columns topic, feature, quantity, value
# topic "wilson"   prop.test(correct = FALSE) of better (A + O), worse (O + M, of A + O + M + I) and
#                  total strength (M + O + A, of n): low, high at 95 %
# topic "leading"  binom.test of the largest against the two largest of M, O, A, I, R: p
# topic "compare"  Hotline against Loan machine as two groups: chisq.test (chi2, df, p), the
#                  likelihood ratio G with its p, Cramer's V, and V's limits from the noncentral
#                  chi-square by uniroot (tol = 1e-13)
counts <- rbind(
  "Service app" = c(95, 123, 45, 33, 0, 0),
  "Excellent service" = c(101, 54, 54, 81, 3, 3),
  "Hotline" = c(15, 24, 121, 124, 6, 6),
  "Loan machine" = c(65, 87, 93, 51, 0, 0),
  "Ready-to-use return" = c(9, 18, 83, 177, 6, 3)
)
out <- data.frame()
add <- function(topic, feature, quantity, value)
  out <<- rbind(out, data.frame(topic, feature, quantity, value = sprintf("%.15g", value)))
for (name in rownames(counts)) {
  x <- counts[name, ]
  base <- sum(x[1:4])
  sets <- list(better = c(x[3] + x[2], base), worse = c(x[2] + x[1], base),
               total_strength = c(sum(x[1:3]), sum(x)))
  for (set in names(sets)) {
    limits <- prop.test(sets[[set]][1], sets[[set]][2], correct = FALSE)$conf.int
    add("wilson", name, paste0(set, "_low"), limits[1])
    add("wilson", name, paste0(set, "_high"), limits[2])
  }
  top <- sort(x[1:5], decreasing = TRUE)[1:2]
  add("leading", name, "p", binom.test(top[1], sum(top))$p.value)
}
two <- counts[c("Hotline", "Loan machine"), ]
test <- chisq.test(two, correct = FALSE)
g <- 2 * sum(ifelse(two > 0, two * log(two / test$expected), 0))
df <- test$parameter
n <- sum(two)
add("compare", "pair", "chi2", test$statistic)
add("compare", "pair", "df", df)
add("compare", "pair", "p", test$p.value)
add("compare", "pair", "g", g)
add("compare", "pair", "p_g", pchisq(g, df, lower.tail = FALSE))
add("compare", "pair", "v", sqrt(test$statistic / n))
for (side in list(c("v_low", .975), c("v_high", .025))) {
  lambda <- uniroot(function(l) pchisq(test$statistic, df, l) - as.numeric(side[2]),
                    c(0, 1000), tol = 1e-13)$root
  add("compare", "pair", side[1], sqrt(lambda / n))
}
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
write.csv(out, file.path(here, "kano.csv"), row.names = FALSE, quote = FALSE)
