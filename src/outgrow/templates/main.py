"""`python3 main.py key=value …`: verl's main_ppo with the trainer, the agent loop and the loss of this folder registered."""

import ray
import turnwise_loss  # noqa: F401  registers the loss in this process; VERL_USE_EXTERNAL_MODULES does in the workers
from turnwise_trainer import own_trainer
from verl.trainer import main_ppo

Runner = main_ppo.TaskRunnerV1.__ray_metadata__.modified_class  # the class below verl's @ray.remote


@ray.remote
class TaskRunner(Runner):
    def run(self, config):
        own_trainer()  # this actor looks the trainer up by its name
        return super().run(config)


main_ppo.TaskRunnerV1 = TaskRunner

if __name__ == "__main__":
    main_ppo.main()
