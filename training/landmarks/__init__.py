"""Nets that read landmarks and activations: conversion, calibration, doubts."""
