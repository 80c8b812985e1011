# Mean and median time of cases of which some are open, by R's package survival.
# Rscript tests/reference/open_cases.R
library(survival)
options(digits = 15)
# Made up: days that cases took, and whether they had ended (ties of both kinds are in it).
days <- c(1.5, 2, 2, 3.25, 3.25, 4, 5, 5, 6.5, 7, 8, 9.75, 9.75, 11, 12, 14, 15.5, 17, 20, 26)
ended <- c(1, 1, 0, 1, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0)
rows <- list()
for (name in c("open", "ended")) {
  # "ended": the longest case has ended, so that the mean is restricted by nothing.
  d <- ended
  if (name == "ended") d[length(d)] <- 1
  fit <- survfit(Surv(days, d) ~ 1)
  rows[[name]] <- data.frame(longest = name, mean = summary(fit, rmean = max(days))$table[["rmean"]],
                             median = quantile(fit, 0.5)$quantile[[1]],
                             p90 = quantile(fit, 0.9)$quantile[[1]])
}
write.csv(do.call(rbind, rows), "tests/reference/open_cases.csv", row.names = FALSE, na = "")
