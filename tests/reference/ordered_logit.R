# Reference values of the ordered logit: MASS::housing by polr, ordinal::clm (analytic Hessian,
# tight control) and Brant's test written out from Brant (1990) with glm. Writes ordered_logit.csv.
library(MASS); library(ordinal)
data(housing)
fit <- clm(Sat ~ Infl + Type + Cont, weights = Freq, data = housing,
           control = list(gradTol = 1e-12))
long <- housing[rep(seq_len(nrow(housing)), housing$Freq), ]
rows <- data.frame(name = names(coef(fit)), value = coef(fit), se = sqrt(diag(vcov(fit))))
rows <- rbind(rows, data.frame(name = "deviance", value = -2 * as.numeric(logLik(fit)), se = NA))
null <- clm(Sat ~ 1, weights = Freq, data = housing, control = list(gradTol = 1e-12))
rows <- rbind(rows, data.frame(name = "null_deviance", value = -2 * as.numeric(logLik(null)), se = NA))

# Brant: separate logits of Y > j, joint covariance, Wald test
x <- model.matrix(~ Infl + Type + Cont, long)
y <- as.integer(long$Sat)
fits <- lapply(1:2, function(j) glm.fit(x, as.numeric(y > j), family = binomial(),
                                        control = list(epsilon = 1e-14, maxit = 100)))
pi <- lapply(fits, function(f) as.numeric(plogis(x %*% f$coefficients)))
inv <- lapply(pi, function(p) solve(t(x) %*% (x * (p * (1 - p)))))
cross <- inv[[1]] %*% (t(x) %*% (x * (pi[[2]] * (1 - pi[[1]])))) %*% inv[[2]]
p <- ncol(x) - 1
v <- matrix(0, 2 * p, 2 * p); k <- 1:p
v[k, k] <- inv[[1]][-1, -1]; v[k + p, k + p] <- inv[[2]][-1, -1]
v[k, k + p] <- cross[-1, -1]; v[k + p, k] <- t(cross[-1, -1])
b <- c(fits[[1]]$coefficients[-1], fits[[2]]$coefficients[-1])
brant <- function(cols) {
  d <- cbind(diag(p)[cols, , drop = FALSE], -diag(p)[cols, , drop = FALSE])
  as.numeric(t(d %*% b) %*% solve(d %*% v %*% t(d)) %*% (d %*% b))
}
rows <- rbind(rows, data.frame(name = c("brant", "brant.Infl", "brant.Type", "brant.Cont"),
  value = c(brant(1:p), brant(1:2), brant(3:5), brant(6)), se = NA))
# shares and differences of shares when everybody had one level (population averages)
for (level in levels(housing$Infl)) {
  all <- housing; all$Infl <- factor(level, levels = levels(housing$Infl))
  share <- predict(fit, newdata = subset(all, select = -Sat), type = "prob")$fit
  rows <- rbind(rows, data.frame(name = paste("share", level, levels(housing$Sat), sep = "."),
    value = colSums(share * housing$Freq) / sum(housing$Freq), se = NA))
}
rows$value <- sprintf("%.12g", rows$value); rows$se <- ifelse(is.na(rows$se), "", sprintf("%.12g", rows$se))
write.csv(rows, "ordered_logit.csv", row.names = FALSE, quote = FALSE)
