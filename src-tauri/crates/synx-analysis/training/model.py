"""Conditional logit: the candidate with the right answer should get the largest share of a softmax over a linear score."""
import numpy as np
from scipy.optimize import minimize


class Cases:
    """Cases padded to equal length: x[case, candidate, feature], right[case, candidate], there[case, candidate]."""

    def __init__(self, cases):
        n, most = len(cases), max(len(c["x"]) for c in cases)
        wide = len(cases[0]["x"][0])
        self.x = np.zeros((n, most, wide))
        self.right = np.zeros((n, most), bool)
        self.there = np.zeros((n, most), bool)
        for i, c in enumerate(cases):
            k = len(c["x"])
            self.x[i, :k], self.right[i, :k], self.there[i, :k] = c["x"], c["right"], True
        self.weight = np.array([c.get("weight", 1.0) for c in cases])

    def scale(self):
        """Standard deviation of each feature within the cases: only differences between candidates count."""
        n = self.there.sum(1, keepdims=True)[..., None].astype(float)
        mean = (self.x * self.there[..., None]).sum(1, keepdims=True) / n
        d = (self.x - mean)[self.there]
        return np.maximum(d.std(0), 1e-6)

    def shares(self, w):
        s = np.where(self.there, self.x @ w, -1e9)
        e = np.exp(s - s.max(1, keepdims=True)) * self.there
        return e / e.sum(1, keepdims=True)


def train(cases, shrink):
    """Weights for the raw features; L2 on the weights of standardised ones."""
    c = Cases([c for c in cases if any(c["right"])])
    sd = c.scale()
    c.x /= sd
    total = c.weight.sum()

    def loss(w):
        p = c.shares(w)
        hit = np.maximum((p * c.right).sum(1), 1e-12)
        g = (p - p * c.right / hit[:, None]) * c.weight[:, None]
        value = -(c.weight * np.log(hit)).sum() / total + 0.5 * shrink * w @ w
        return value, np.einsum("ij,ijk->k", g, c.x) / total + shrink * w

    found = minimize(loss, np.zeros(c.x.shape[2]), jac=True, method="L-BFGS-B", options={"maxiter": 300})
    return found.x / sd


def logistic(x, yes, weight, shrink):
    """(weights for the raw features, bias) of a logistic regression; L2 on the weights of standardised features."""
    mean, sd = x.mean(0), np.maximum(x.std(0), 1e-6)
    z, sign = (x - mean) / sd, np.where(yes, 1.0, -1.0)

    def loss(t):
        m = sign * (z @ t[:-1] + t[-1])
        g = -sign * weight / (1 + np.exp(np.clip(m, -50, 50))) / weight.sum()
        value = (weight * np.logaddexp(0, -m)).sum() / weight.sum() + 0.5 * shrink * t[:-1] @ t[:-1]
        return value, np.append(z.T @ g + shrink * t[:-1], g.sum())

    t = minimize(loss, np.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
    return t[:-1] / sd, t[-1] - (t[:-1] / sd) @ mean


def logit(p):
    p = np.clip(p, 1e-6, 1 - 1e-6)
    return np.log(p / (1 - p))


def platt(p, right):
    """(slope, offset): sigmoid(slope x logit(p) + offset) is how often answers given at p are right (Platt 1999)."""
    w, b = logistic(logit(p)[:, None], right, np.ones(len(p)), 1e-3)
    return float(w[0]), float(b)
