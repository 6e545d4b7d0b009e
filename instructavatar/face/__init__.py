"""The face as numbers: motion, actions, action units, visemes, mesh, rig, instruction segments."""
